import t from 'tap';
import type { Problem } from '../../lib/assign/problem.ts';
import { Telling } from '../../lib/mic/telling.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { FakeClock } from '../fakes/clock.ts';
import { MemoryLog } from '../kube/rig.ts';

const problem: Problem = {
  code: 'identity-missing',
  about: { kind: 'AzureIdentityBinding', namespace: 'apps', name: 'demo' },
  message: 'It is not there.',
};
const hour = 3_600_000;

function rig(): { telling: Telling; told: string[]; clock: FakeClock; metrics: MicMetrics } {
  const told: string[] = [];
  const [clock, metrics] = [new FakeClock(), new MicMetrics()];
  const telling = new Telling({
    ...{ clock, metrics, log: new MemoryLog() },
    events: { report: ({ name }, { reason }) => void told.push(`${reason} ${name}`) },
    refOf: ({ namespace, name }) => (name === 'gone' ? undefined : { uid: `uid-${name}`, namespace, name }),
  });
  return { telling, told, clock, metrics };
}

t.test('a problem is told once an hour while it stands, and at once when it comes back', async (t) => {
  const { telling, told, clock } = rig();
  for (let i = 0; i < 5; i++) telling.problems([problem]);
  t.same(told, ['IdentityMissing demo']);
  await clock.advance(hour);
  telling.problems([problem]);
  t.equal(told.length, 2);
  telling.problems([]);
  telling.problems([problem]);
  t.equal(told.length, 3);
});

t.test('a namespace with a thousand problems does not drown the others', async (t) => {
  const { telling, told, clock } = rig();
  const problemOf = (namespace: string, name: string): Problem => ({
    ...problem,
    about: { ...problem.about, namespace, name },
  });
  const many = Array.from({ length: 1_000 }, (_, at) => problemOf('evil', `his-${at}`));
  const all = [...many, problemOf('apps', 'demo')];
  telling.problems(all);
  t.equal(told.length, 21);
  t.match(told.at(-1), 'IdentityMissing demo');
  telling.problems(all);
  t.equal(told.length, 21);
  await clock.advance(60_000);
  telling.problems(all);
  t.equal(told.length, 41, 'others of his a minute later');
});

t.test('the metric counts what stands now, by its code', async (t) => {
  const { telling, metrics } = rig();
  const other = { ...problem, about: { ...problem.about, name: 'other' } };
  telling.problems([problem, other]);
  t.match((await metrics.page()).body, 'podidentity_assignment_problems{code="identity-missing"} 2');
  telling.problems([]);
  t.notMatch((await metrics.page()).body, 'identity-missing');
});

t.test('what is not there any more is told nothing', async (t) => {
  const { telling, told } = rig();
  const about = { ...problem.about, name: 'gone' };
  telling.outcry({ about, type: 'Normal', reason: 'binding removed', message: 'It is gone.' });
  t.same(told, []);
});
