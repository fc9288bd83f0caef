import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { watchFile } from '../../lib/platform/file-watch.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';

interface Scene {
  readonly folder: string;
  readonly path: string;
  readonly seen: string[];
  readonly troubles: unknown[];
  readonly end: AbortController;
  /** Lets the watch look once more. */
  look(): Promise<void>;
}

async function scene(test: Test, onChange: (text: string) => void = () => undefined): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'file-watch-'));
  const path = join(folder, 'azure.json');
  writeFileSync(path, 'one');
  const clock = new FakeClock();
  const end = new AbortController();
  const [seen, troubles]: [string[], unknown[]] = [[], []];
  const options = {
    path,
    clock,
    everyMs: 5000,
    known: 'one',
    onTrouble: (error: unknown) => troubles.push(error),
  };
  const change = (text: string): void => {
    seen.push(text);
    onChange(text);
  };
  const watching = watchFile({ ...options, onChange: change }, end.signal);
  test.teardown(async () => {
    end.abort();
    await watching;
    rmSync(folder, { recursive: true });
  });
  const look = async (): Promise<void> => {
    await clock.advance(5000);
    await eventually('it has looked', () => clock.waiting === 1);
    await settle();
  };
  return { folder, path, seen, troubles, end, look };
}

t.test('tells a new text once, and nothing while it stays', async (t) => {
  const { path, seen, look } = await scene(t);
  await look();
  t.same(seen, []);
  writeFileSync(path, 'two');
  await look();
  await look();
  t.same(seen, ['two']);
});

t.test('sees a Secret or ConfigMap change, which is a symlink that is replaced two folders up', async (t) => {
  const { folder, path, seen, look } = await scene(t);
  for (const text of ['one', 'two']) {
    mkdirSync(join(folder, text));
    writeFileSync(join(folder, text, 'azure.json'), text);
  }
  rmSync(path);
  symlinkSync('one', join(folder, '..data'));
  symlinkSync('..data/azure.json', path);
  await look();
  t.same(seen, []);
  symlinkSync('two', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await look();
  t.same(seen, ['two']);
});

t.test('a file that is away is a trouble told once, and no change when it comes back the same', async (t) => {
  const { path, seen, troubles, look } = await scene(t);
  rmSync(path);
  await look();
  await look();
  t.equal(troubles.length, 1);
  writeFileSync(path, 'one');
  await look();
  t.same(seen, []);
  rmSync(path);
  await look();
  t.equal(troubles.length, 2);
});

t.test('goes on when a text is refused', async (t) => {
  const { path, seen, troubles, look } = await scene(t, (text) => {
    if (text === 'bad') throw new Error('refused');
  });
  for (const text of ['bad', 'good']) {
    writeFileSync(path, text);
    await look();
  }
  t.same(seen, ['bad', 'good']);
  t.match(troubles, [new Error('refused')]);
});
