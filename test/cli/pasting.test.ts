import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { installing, ofAgentSets, ofMicDeployments } from '../../lib/cli/agents/commands.ts';
import { examineAll } from '../../lib/cli/doctor/checks.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import { bindingObject } from '../lab/objects.ts';
import { binding, facts, isolatingAll, node, pod, told, untold } from './doctor/scene.ts';
import { commandsIn, troubleIn } from './pasting.ts';

t.test('knows a line to paste from one that runs on into the next', async (t) => {
  const good = ["kubectl get pods -l a='b # c'", `az x --query="[?a=='b']"`, "echo 'it'\\''s'", 'a | b > c'];
  for (const line of good) t.equal(troubleIn(line), undefined);
  const bad = ['a # b', "a # today's", "a 'b", 'a "b', "a 'it's'", 'a $(id)', 'a "`id`"', 'a\nb'];
  for (const line of bad) t.ok(troubleIn(line), line);
});

t.test('finds the commands of a report, as people and as programs get them', async (t) => {
  const json = JSON.stringify({ checks: [{ findings: [{ what: 'x', mend: ['a', 'b'] }] }], command: 'c' });
  t.same(commandsIn(['doctor'], json), ['a', 'b', 'c']);
  t.same(commandsIn(['doctor'], '    error: x\n      y.\n      \x1b[1m$\x1b[22m a\n'), ['a']);
  t.same(commandsIn(['explain'], `✗ label      x\n${' '.repeat(13)}a b\n`), ['a b']);
  t.same(commandsIn(['repair'], 'x, end it first:\n  kubectl a\n  az b\n'), ['kubectl a', 'az b']);
});

t.test('offers each name that it may have as a command of its own', async (t) => {
  const run = (name: string, namespace: string): string => `run ${name} -n ${namespace}`;
  const lines = [
    ...(['standard', 'managed', 'service-principal'] as const).map(installing),
    ...ofAgentSets(told(), run),
    ...ofAgentSets(untold('no right'), run),
    ...ofMicDeployments([{ namespace: 'kube-system', name: 'mic-0' }], run),
  ];
  for (const line of lines) t.equal(troubleIn(line), undefined);
  t.same(lines.slice(-2), ['run mic -n kube-system', 'run aad-pod-identity-mic -n kube-system']);
});

const noZsh = existsSync('/usr/bin/zsh') ? false : 'there is no zsh here';

t.test(
  'no line that podid tells to paste makes an interactive zsh run the text of the next',
  { skip: noZsh },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'podid-'));
    t.teardown(() => rmSync(dir, { recursive: true }));
    const harm = join(dir, 'harm');
    const evil = `x'$(touch ${harm})`;
    const role = { name: 'aad-pod-id-nmi-role', labels: {}, rights: ['get secrets'] };
    const cluster = {
      ...{ policies: told(isolatingAll), roles: told(role), nodes: told(node('node1'), node('node2')) },
      bindings: told(binding(), binding(bindingObject('b', 'evil', 'demo', evil))),
      pods: told(pod('web'), pod('a', { labels: { aadpodidbinding: evil } })),
    };
    const lines = examineAll(facts(cluster)).flatMap(({ findings }) => findings.flatMap(({ mend }) => mend));
    t.ok(lines.length > 5, `${lines.length} commands`);
    for (const line of new Set(lines)) {
      // The last line closes what may have stayed open.
      const stdin = `kubectl() { :; }; podid() { :; }; az() { :; }\n${line}\n: '$(touch ${harm})'\n'\n`;
      await systemExec('zsh', ['-fi'], { timeoutMs: 60_000, stdin });
      t.notOk(existsSync(harm), line);
      rmSync(harm, { force: true });
    }
  },
);
