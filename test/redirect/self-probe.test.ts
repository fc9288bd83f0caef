import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import type { Exec, ExecResult } from '../../lib/platform/exec.ts';
import { createSelfProbe, type SelfProbe } from '../../lib/redirect/self-probe.ts';

const answer = (...head: string[]): Partial<ExecResult> => ({ stdout: [...head, 'end 0', ''].join('\r\n') });
const silence: Partial<ExecResult> = { stdout: 'end 124\n' };
const refused: Partial<ExecResult> = { stdout: 'end 1\n', stderr: 'line 1\nquestion: Connection refused\n' };

interface Case {
  /** What the program says, and what happens while it runs. */
  readonly program: (probe: SelfProbe, address: string) => Partial<ExecResult>;
  /** What the guard drops during each question. */
  readonly drops?: number;
  /** What it drops meanwhile of what goes to the listener directly. */
  readonly strays?: number;
  readonly guard?: 'none';
  readonly backend?: 'not chosen';
}

function setup({ program, drops = 0, strays = 0, guard, backend }: Case): SelfProbe {
  let dropped = 7;
  let strayed = 7;
  const exec: Exec = async (file, args) => {
    if (file === 'bash') {
      dropped += drops;
      strayed += strays;
      return { code: 0, stdout: '', stderr: '', ...program(probe, args[4] ?? '') };
    }
    const words = ['-w', '5', '-t', 'mangle', '-v', '-S', 'aad-metadata-guard'];
    if (file !== 'iptables-nft' || args.join() !== words.join()) throw new Error(`${file} ${args.join(' ')}`);
    if (guard === 'none') return { code: 1, stdout: '', stderr: 'No chain/target/match by that name.' };
    const lines = [
      '-N aad-metadata-guard',
      `-A aad-metadata-guard -d 169.254.169.254/32 ! -i lo -p tcp -m tcp --dport 80 -c ${dropped} 420 -j DROP`,
      `-A aad-metadata-guard -d 10.0.0.4/32 ! -i lo -p tcp -m tcp --dport 2579 -c ${strayed} 60 -j DROP`,
    ];
    return { code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' };
  };
  const probe = createSelfProbe({
    exec,
    random: () => 0.5,
    rules: { metadataIp: '169.254.169.254', metadataPort: 80 },
    backend: () => (backend ? undefined : 'nft'),
  });
  return probe;
}

t.test('proven when our listener gave the answer that came, to the address that asked', async (t) => {
  const probe = setup({
    program: (probe, address) => {
      t.notOk(
        probe.heard({ requestId: 'id-0', address: '10.244.1.7' }),
        "a pod's request is not the probe's",
      );
      t.notOk(probe.heard({ requestId: 'id-0', address: undefined }));
      t.ok(probe.heard({ requestId: 'id-1', address }));
      return answer('HTTP/1.1 404 Not Found', 'X-Ms-Request-Id: id-1', 'Connection: close');
    },
  });
  t.same(await probe.ask(), { kind: 'proven' });
});

t.test('asks from an address and by an interface that nobody else uses', async (t) => {
  const seen: string[][] = [];
  const exec: Exec = async (_file, args) => {
    seen.push([...args]);
    return { code: 0, stdout: '', stderr: '' };
  };
  const rules = { metadataIp: '169.254.169.254', metadataPort: 80 };
  for (const chance of [0, 0.999999999]) {
    await createSelfProbe({ exec, random: () => chance, rules, backend: () => undefined }).ask();
  }
  t.same(
    seen.map((args) => args.slice(3, 7)),
    [
      ['vethpi0000000', '198.18.1.1', '169.254.169.254', '80'],
      ['vethpiffffffe', '198.19.255.254', '169.254.169.254', '80'],
    ],
  );
});

const cases: Readonly<Record<string, Case & { readonly expected: object }>> = {
  'an answer that bears no id of ours': {
    program: () => answer('HTTP/1.1 200 OK', 'Server: Microsoft-IIS/10.0', 'x-ms-request-id: id-9'),
    expected: {
      kind: 'disproven',
      why: 'a probe was answered, but not by this agent ("HTTP/1.1 200 OK, Microsoft-IIS/10.0")',
    },
  },
  'an answer with an id that our listener gave to a pod': {
    program: (probe) => {
      probe.heard({ requestId: 'id-2', address: '10.244.1.7' });
      return answer('HTTP/1.1 404 Not Found', 'x-ms-request-id: id-2');
    },
    expected: { kind: 'disproven' },
  },
  'an answer without any id while ours heard the probe': {
    program: (probe, address) => {
      probe.heard({ requestId: 'id-3', address });
      return answer('HTTP/1.1 200 OK');
    },
    expected: { kind: 'disproven' },
  },
  'an answer in odd characters': {
    program: () => answer('HTTP/1.1 200 \u001b[2J\u202e', `Server: ${'x'.repeat(500)}`),
    expected: { kind: 'disproven', why: /^a probe [^\u001b\u202e]{200,300}…"\)$/ },
  },
  silence: {
    program: () => silence,
    expected: { kind: 'unknown', why: 'a probe had no answer (silence)', again: undefined },
  },
  'a connection refused': {
    program: () => refused,
    expected: { kind: 'unknown', why: 'a probe had no answer (question: Connection refused)' },
  },
  'a connection that is closed at once': {
    program: () => answer(),
    expected: { kind: 'unknown' },
  },
  'no right to make a namespace': {
    program: () => ({ code: 1, stderr: 'unshare: unshare failed: Operation not permitted\n' }),
    expected: {
      kind: 'unknown',
      why: 'no network namespace for a probe (unshare: unshare failed: Operation not permitted)',
    },
  },
  'no bash': {
    program: () => {
      throw new AppError('exec-missing', 'bash is not installed');
    },
    expected: { kind: 'unknown', why: 'no probe can be made here: bash is not installed' },
  },
  'a program that hangs': {
    program: () => {
      throw new AppError('exec-timeout', 'bash took longer than 8000 ms');
    },
    expected: { kind: 'unknown', why: 'bash took longer than 8000 ms' },
  },
  'silence while the guard dropped something, the first time': {
    program: () => silence,
    drops: 2,
    expected: { kind: 'unknown', why: /die in the guard/, again: true },
  },
  'silence while the guard dropped what others sent to the listener': {
    program: () => silence,
    strays: 9,
    expected: { kind: 'unknown', why: /silence/ },
  },
  'silence without a guard': {
    program: () => silence,
    guard: 'none',
    expected: { kind: 'unknown', why: /silence/ },
  },
  'silence before a backend is known': {
    program: () => silence,
    drops: 2,
    backend: 'not chosen',
    expected: { kind: 'unknown', why: /silence/ },
  },
};

for (const [what, { expected, ...given }] of Object.entries(cases)) {
  t.test(`${what} is told as it is`, async (t) => {
    t.match(await setup(given).ask(), expected);
  });
}

t.test('packets that die in the guard disprove the redirect when they do so twice in a row', async (t) => {
  let quiet = false;
  const probe = setup({ program: () => (quiet ? answer('HTTP/1.1 200 OK') : silence), drops: 1 });
  t.match(await probe.ask(), { kind: 'unknown', again: true });
  quiet = true;
  t.match(await probe.ask(), { kind: 'disproven', why: /not by this agent/ });
  quiet = false;
  t.match(await probe.ask(), { kind: 'unknown', again: true }, 'not in a row');
  t.match(await probe.ask(), { kind: 'disproven', why: /NOTRACK/ });
});

t.test('what comes when no probe is under way is no answer to one', async (t) => {
  let address = '';
  const probe = setup({
    program: (_probe, from) => {
      address = from;
      return answer('HTTP/1.1 404 Not Found', 'x-ms-request-id: id-4');
    },
  });
  t.notOk(probe.heard({ requestId: 'id-4', address: '198.19.128.128' }));
  t.match(await probe.ask(), { kind: 'disproven' });
  t.notOk(probe.heard({ requestId: 'id-4', address }));
});
