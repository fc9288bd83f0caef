import t from 'tap';
import { readAccess } from '../../../lib/cli/doctor/read-access.ts';
import { modeOn } from '../../../lib/cli/explain/mode.ts';
import { json, refuse } from '../../kube/hostile-api.ts';
import { connect } from '../../kube/rig.ts';
import { agent, mic, noFlags, told } from './scene.ts';

const never = new AbortController().signal;
const mode = modeOn('', { pods: told(agent('a')), sets: told() }, noFlags);
const programs = {
  agents: [agent('a'), agent('b'), agent('old', { original: true, account: 'old' })],
  agentSets: [],
  mics: [mic()],
  mode,
  identities: [],
};

t.test('asks for the rights of each service account once, and not for those of the original', async (t) => {
  const { api, connection } = await connect(t);
  const yes = json(201, { status: { allowed: true } });
  api.lists.push(...Array.from({ length: 100 }, () => yes));
  const answer = await readAccess(connection, programs, never);
  const asked = answer.kind === 'told' ? answer.value : [];
  t.same(
    [...new Set(asked.map(({ program, account }) => `${program} ${account.name}`))],
    ['NMI nmi', 'MIC mic'],
  );
  t.ok(asked.every(({ allowed }) => allowed));
  t.equal(api.calls.length, asked.length);
});

t.test('asks nothing for MIC in managed mode, which has no use for it', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(...Array.from({ length: 100 }, () => json(201, { status: { allowed: true } })));
  const answer = await readAccess(connection, { ...programs, mode: { ...mode, managed: true } }, never);
  t.ok(answer.kind === 'told' && answer.value.every(({ program }) => program === 'NMI'));
});

t.test('takes only a plain yes for one', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(
    ...Array.from({ length: 100 }, () => json(201, { status: { allowed: false, reason: 'no' } })),
  );
  const answer = await readAccess(connection, programs, never);
  t.ok(answer.kind === 'told' && answer.value.every(({ allowed }) => !allowed));
});

t.test('could not tell without the right to ask, and where none of ours runs', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(...Array.from({ length: 100 }, () => refuse(403)));
  t.match(await readAccess(connection, programs, never), { kind: 'untold', why: /subjectaccessreviews/ });
  api.lists.splice(0);
  api.lists.push(...Array.from({ length: 100 }, () => refuse(503)));
  t.match(await readAccess(connection, programs, never), { kind: 'untold', why: /answered 503/ });
  const none = { ...programs, agents: [agent('old', { original: true })], mics: [] };
  t.match(await readAccess(connection, none, never), { kind: 'untold', why: /no program of ours runs/ });
});
