import t from 'tap';
import { refuse } from '../../lib/metadata/reply.ts';
import type { DenyReason, NamespaceRule, WaitReason } from '../../lib/model/decision.ts';
import { explain } from '../../lib/policy/explain.ts';
import { anIdentity, aPod } from '../fakes/model.ts';
import { denialCodes, errorCodes, problemCodes, refusalCodes, waitCodes } from './known.ts';
import { columnIn, textOf } from './pages.ts';
import { literals, loudMessages } from './program-text.ts';

const errors = textOf('docs/errors.md');
const events = textOf('docs/events.md');
const [, eventsOfMic = ''] = events.split('\n## On identities');

/** As the programs make an event's reason of a code. */
const reasonOf = (code: string): string =>
  code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

t.test('every refusal of the listener is on the page, word for word, with its code and status', async (t) => {
  for (const code of refusalCodes) {
    const { status, body } = refuse(code);
    const { error_description: says } = body as { readonly error_description: string };
    const row = errors.split('\n').find((line) => line.includes(`| \`${code}\` |`)) ?? '';
    t.ok(row.startsWith(`| ${status} | \`${code}\` | \`${says}\` | `), `${status} ${code}: ${says}`);
  }
});

const pod = aPod({ namespace: 'NAMESPACE', name: 'POD' });
const identity = anIdentity({ namespace: 'OTHER', name: 'IDENTITY' });
const denials: Readonly<Record<DenyReason['code'], DenyReason>> = {
  'no-label': { code: 'no-label' },
  'no-binding': { code: 'no-binding', label: 'VALUE' },
  'not-bound': { code: 'not-bound', selector: { by: 'client_id', value: 'ID' } },
  'other-namespace': { code: 'other-namespace', identity, rule: 'mode' },
  'no-client-id': { code: 'no-client-id', identity: { ...identity, namespace: 'NAMESPACE' } },
};
const waits: Readonly<Record<WaitReason['code'], WaitReason>> = {
  'identity-missing': { code: 'identity-missing', binding: 'BINDING', azureIdentity: 'IDENTITY' },
  'assignment-missing': { code: 'assignment-missing', binding: 'BINDING' },
  'not-assigned': { code: 'not-assigned', identity: 'NAMESPACE/IDENTITY' },
  'binding-missing': { code: 'binding-missing', label: 'VALUE' },
};
const firstOf = (sentences: string): string => /^.*?(?:\.(?= |$)|: )/.exec(sentences)?.[0] ?? sentences;

t.test("every reason for which policy gives no token is on the page, in the agent's words", async (t) => {
  const told = [
    ...denialCodes.map((code) => [code, explain(pod, { kind: 'deny', why: denials[code] })] as const),
    ...waitCodes.map((code) => [code, explain(pod, { kind: 'wait', why: waits[code] })] as const),
  ];
  for (const [code, sentences] of told)
    t.ok(
      events.includes(`| \`${reasonOf(code)}\` | \`${firstOf(sentences)}\` `),
      `${code}: ${firstOf(sentences)}`,
    );
  const rules: Readonly<Record<NamespaceRule, true>> = {
    mode: true,
    annotation: true,
    allowedNamespaces: true,
  };
  for (const rule of Object.keys(rules) as NamespaceRule[]) {
    const words = explain(pod, { kind: 'deny', why: { code: 'other-namespace', identity, rule } });
    t.ok(events.includes(`\`${words.slice(firstOf(words).length, -1)}\``), words);
  }
});

t.test('every problem that MIC tells of is on the page', async (t) => {
  const about = (code: string): RegExp => new RegExp(`\\n\\| \`${reasonOf(code)}\` \\| (Azure|Pod|Node)`);
  for (const code of problemCodes) t.match(eventsOfMic, about(code), code);
});

t.test('every reason of an event that the code writes plainly is on the page', async (t) => {
  const reasons = [
    'binding applied',
    'binding apply error',
    'binding removed',
    'binding remove error',
    'status update error',
    'LeaderElection',
  ];
  for (const reason of reasons) {
    t.ok(literals.includes(reason), `the code says ${reason}`);
    t.ok(events.includes(`\n| \`${reason}\` |`), reason);
  }
});

t.test('every error code has its cure on the page', async (t) => {
  const told = columnIn(errors, 'code').join(' ');
  for (const code of errorCodes) t.ok(told.includes(`\`${code}\``), code);
});

t.test('every warning and error in the log has its cure on the page', async (t) => {
  const [, log = ''] = errors.split('\n## In the log\n');
  t.ok(loudMessages.length > 30);
  for (const message of loudMessages) t.ok(log.includes(`\n| \`${message}\` |`), message);
});

t.test('what the pages quote, the programs say', async (t) => {
  const quotes = [errors, eventsOfMic]
    .flatMap((page) => columnIn(page, 'says'))
    .flatMap((cell) => quotesIn(cell));
  t.ok(quotes.length > 80);
  for (const quote of quotes) {
    // Between names in capitals there are the program's own words.
    const pieces = quote
      .split(/\b[A-Z][A-Z_]+(?:\/[A-Z]+)?\b/)
      .map((piece) => piece.trim())
      .filter((piece) => piece.length > 6);
    const strange = pieces.filter((piece) => !literals.some((literal) => literal.includes(piece)));
    t.same(strange, [], quote);
  }
});

/** Azure's own words are quoted in rows about Azure, and are not ours to hold. */
function quotesIn(cell: string): readonly string[] {
  const quotes = [...cell.matchAll(/`([^`]+)`/g)].map(([, quote = '']) => quote);
  return quotes.filter((quote) => !/^(AADSTS|Identity not found$|invalid_resource)/.test(quote));
}
