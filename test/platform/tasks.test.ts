import t from 'tap';
import { runTasks, type Task } from '../../lib/platform/tasks.ts';
import { settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';

const untilEnd: Task = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

t.test('runs all tasks side by side until it is told to end', async (t) => {
  const end = new AbortController();
  const seen: string[] = [];
  const task =
    (name: string): Task =>
    async (signal) => {
      seen.push(`${name} began`);
      await untilEnd(signal);
      seen.push(`${name} ended`);
    };
  const running = runTasks(end.signal, { watch: task('watch'), serve: task('serve') });
  await settle();
  t.same(seen, ['watch began', 'serve began']);
  end.abort();
  await running;
  t.same(seen.slice(2), ['watch ended', 'serve ended']);
});

t.test('the first failure stops the others, and is the one that is told', async (t) => {
  let stopped = false;
  const failing = runTasks(new AbortController().signal, {
    watch: async (signal) => {
      await untilEnd(signal);
      stopped = true;
      throw new Error('watch broke off');
    },
    serve: async () => {
      throw new Error('port taken');
    },
  });
  t.equal((await failureOf(() => failing)).message, 'port taken');
  t.ok(stopped, 'not before all have ended');
});

t.test('a task that throws before its first await fails like any other', async (t) => {
  const task: Task = () => {
    throw new Error('at once');
  };
  const failure = await failureOf(() => runTasks(new AbortController().signal, { task, untilEnd }));
  t.equal(failure.message, 'at once');
});

t.test('a task that ends by itself is a failure that names it', async (t) => {
  const failure = await failureOf(() =>
    runTasks(new AbortController().signal, { untilEnd, watch: async () => undefined }),
  );
  t.equal(failure.message, 'watch ended by itself');
});

t.test('tells what failed while ending', async (t) => {
  const end = new AbortController();
  const running = runTasks(end.signal, {
    serve: async (signal) => {
      await untilEnd(signal);
      throw new Error('rules could not be removed');
    },
  });
  end.abort();
  t.equal((await failureOf(() => running)).message, 'rules could not be removed');
});

t.test('tasks see at their start that they are to end', async (t) => {
  await runTasks(AbortSignal.abort(), { untilEnd });
  t.pass();
});
