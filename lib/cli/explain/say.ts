import type { Decision } from '../../model/decision.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { type ExitStatus, exit } from '../exit.ts';
import type { Report } from '../report.ts';
import type { Style } from '../style.ts';
import type { Facts } from './facts.ts';
import { type Step, type StepState, type Verdict, verdictOf } from './step.ts';

const statuses: Readonly<Record<Verdict, ExitStatus>> = {
  given: exit.ok,
  denied: exit.no,
  wait: exit.wait,
  unknown: exit.unknown,
};

const marks: Readonly<Record<StepState, readonly [sign: string, style: keyof Style]>> = {
  ok: ['✓', 'good'],
  no: ['✗', 'bad'],
  wait: ['…', 'unsure'],
  unknown: ['?', 'unsure'],
  passed: ['-', 'dim'],
};

const verdicts: Readonly<Record<Verdict, readonly [words: string, style: keyof Style]>> = {
  given: ['A token would be given.', 'good'],
  denied: ['No token would be given.', 'bad'],
  wait: ['No token would be given yet: the request would wait.', 'unsure'],
  unknown: ['Could not tell whether a token would be given.', 'unsure'],
};

/** The whole answer. */
export function explanation(facts: Facts, steps: readonly Step[]): Report {
  const verdict = verdictOf(steps);
  return {
    status: statuses[verdict],
    data: {
      pod: podKey(facts.pod),
      node: facts.pod.node,
      request: facts.request,
      mode: {
        operationMode: facts.mode.settings.operationMode,
        namespaced: facts.mode.namespaced,
        from: facts.mode.from,
      },
      verdict,
      decision: told(facts),
      steps,
    },
    text: (style) => asText(facts, steps, verdict, style),
  };
}

/** The agent's decision: its kind and the code of its reason. */
function told({ decision }: Facts): { readonly kind: Decision['kind'] | 'unknown'; readonly code?: string } {
  if (decision.kind === 'untold') return { kind: 'unknown' };
  const { value } = decision;
  return 'why' in value ? { kind: value.kind, code: value.why.code } : { kind: value.kind };
}

function asText({ pod, request }: Facts, steps: readonly Step[], verdict: Verdict, style: Style): string {
  const { resource, selector } = request;
  const asked = selector ? ` as ${selector.by} ${clean(selector.value)}` : '';
  const [words, mark] = verdicts[verdict];
  const lines = [
    style.bold(`Pod ${podKey(pod)} asks for ${clean(resource)}${asked}`),
    ...steps.flatMap((step) => stepLines(step, style)),
    style[mark](words),
  ];
  return `${lines.join('\n')}\n`;
}

function stepLines({ step, state, found, mend }: Step, style: Style): readonly string[] {
  const [sign, mark] = marks[state];
  const shown = state === 'passed' ? style.dim(found) : found;
  return [
    `${style[mark](sign)} ${step.padEnd(10)} ${shown}`,
    ...mend.map((line) => `${' '.repeat(13)}${style.bold(line)}`),
  ];
}
