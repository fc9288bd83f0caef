import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { asText, createLogger, type Logger } from '../../lib/platform/log.ts';

/** A logger and what it wrote, call by call. */
function logTo(format: 'text' | 'json', level?: 'info' | 'debug'): { log: Logger; writes: string[] } {
  const writes: string[] = [];
  const to = { write: (line: string) => void writes.push(line) };
  return { log: createLogger(format, { to, ...(level && { level }) }), writes };
}

const line = (fields: Record<string, unknown>): string =>
  asText('info', { time: '2026-11-21T10:00:00.000Z', message: 'request', fields });

t.test('text is time, level, message and fields', async (t) => {
  t.equal(
    line({ pod: 'apps/web', status: 200, ms: 1.5, ok: true, none: null }),
    '2026-11-21T10:00:00.000Z INFO  request pod=apps/web status=200 ms=1.5 ok=true none=null\n',
  );
});

t.test('text quotes what could be taken for something else', async (t) => {
  t.equal(line({ why: 'no label' }).slice(39), 'why="no label"\n');
  t.equal(line({ why: '' }).slice(39), 'why=""\n');
  t.equal(line({ why: 'a=b' }).slice(39), 'why="a=b"\n');
  t.equal(line({ why: 'say "x"' }).slice(39), 'why="say \\"x\\""\n');
  t.equal(line({ why: 'größer' }).slice(39), 'why="größer"\n');
  t.equal(line({ why: ['a', 1] }).slice(39), 'why="[\\"a\\",1]"\n');
});

t.test('text stays one line, and spells out all that a terminal acts on', async (t) => {
  const marks = [
    '\n',
    '\r',
    '\t',
    '\x1b',
    '\x7f',
    '\x85',
    '\x9b',
    '\u2028',
    '\u2029',
    '\u202e',
    '\ufeff',
    '\u{e0041}',
  ];
  for (const mark of marks) {
    const written = line({ why: `a${mark}b` });
    t.notMatch(written.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, `U+${mark.codePointAt(0)?.toString(16)}`);
    t.ok(JSON.parse(written.slice('2026-11-21T10:00:00.000Z INFO  request why='.length)) === `a${mark}b`);
  }
});

for (const format of ['text', 'json'] as const) {
  t.test(`${format} writes one line a record, whatever is in it`, async (t) => {
    const { log, writes } = logTo(format);
    log.info({ why: 'first\nsecond' }, 'request');
    log.warn({}, 'live pod list failed');
    log.error({ failure: new Error('x\ny').stack }, 'request failed');
    t.equal(writes.length, 3);
    for (const written of writes) t.match(written, /^[^\n]+\n$/);
  });

  t.test(`${format} leaves debug lines out, unless they are asked for`, async (t) => {
    const levels = [
      [undefined, 1],
      ['info', 1],
      ['debug', 2],
    ] as const;
    for (const [level, lines] of levels) {
      const { log, writes } = logTo(format, level);
      log.debug({}, 'noise');
      log.info({}, 'news');
      t.equal(writes.length, lines, String(level));
    }
  });
}

t.test('json has time, level in words, message and fields, and no host or process', async (t) => {
  const { log, writes } = logTo('json');
  log.warn({ part: 'keeper', rival: 'cali-PREROUTING' }, 'jump moved');
  const { time, ...fields } = JSON.parse(writes[0] ?? '') as Record<string, unknown>;
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.strictSame(fields, { level: 'warn', part: 'keeper', rival: 'cali-PREROUTING', msg: 'jump moved' });
});

/** What a process writes in which `end` stands behind 500 lines of one turn. */
async function written(t: Test, format: string, end: string): Promise<string> {
  const log = join(import.meta.dirname, '../../lib/platform/log.ts');
  const program = `
    import { createLogger } from ${JSON.stringify(log)};
    const log = createLogger(process.argv[1]);
    for (let i = 0; i < 500; i++) log.info({ i }, 'request');
    ${end}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, format], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [all] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return all;
}

for (const format of ['text', 'json']) {
  const ends = {
    'ends in the same turn': 'process.exit();',
    'fails in the same turn': "throw new Error('x');",
    'is killed a turn later': "setImmediate(() => process.kill(process.pid, 'SIGKILL'));",
  };
  for (const [when, end] of Object.entries(ends)) {
    t.test(`${format} loses no line when the process ${when}`, async (t) => {
      t.equal((await written(t, format, end)).split('\n').length - 1, 500);
    });
  }
}

for (const format of ['text', 'json']) {
  t.test(`${format} has written what is wrong, and all before it, when the call returns`, async (t) => {
    const all = await written(t, format, "log.error({}, 'last'); process.kill(process.pid, 'SIGKILL');");
    t.equal(all.split('\n').length - 1, 501);
    t.match(all.trimEnd().split('\n').at(-1), /last/);
  });
}

t.test('text tells a field that JSON cannot', async (t) => {
  const round: Record<string, unknown> = {};
  round.self = round;
  t.match(line({ big: 10n, round }).slice(39), 'big=10 round="[object Object]"\n');
});

t.test('leaves out a field that is not defined', async (t) => {
  t.equal(line({ pod: undefined, status: 200 }).slice(39), 'status=200\n');
});
