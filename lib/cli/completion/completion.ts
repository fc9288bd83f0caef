import { usageError } from '../arguments.ts';
import { exit } from '../exit.ts';
import { verb } from '../verb.ts';
import { bashCompletion, zshCompletion } from './scripts.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion };

/** `podid completion bash` */
export const completionVerb = verb({
  name: 'completion',
  words: 'bash|zsh',
  count: [1, 1],
  summary: 'Print the completion script of a shell',
  about: `
source <(podid completion bash)
podid completion zsh > "\${fpath[1]}/_podid"
`,
  wholeCluster: true,
  flags: {},
  run: async ({ words: [shell = ''], verbs }) => {
    if (shell !== 'bash' && shell !== 'zsh') throw usageError(`completion takes bash or zsh, not ${shell}`);
    const script = shells[shell](verbs);
    return { status: exit.ok, data: { shell, script }, text: () => script };
  },
});
