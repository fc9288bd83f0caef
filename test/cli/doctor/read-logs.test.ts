import t from 'tap';
import { readLogs } from '../../../lib/cli/doctor/read-logs.ts';
import { type Answer, refuse } from '../../kube/hostile-api.ts';
import { connect } from '../../kube/rig.ts';
import { agent } from './scene.ts';

const never = new AbortController().signal;

function logOf(text: string): Answer {
  return (response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(text);
}

t.test('reads the beginning of the log of each agent that stays', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(logOf('one\ntwo'), refuse(404));
  const agents = [agent('a'), agent('b'), agent('old', { original: true }), agent('c', { deleting: true })];
  t.match(await readLogs(connection, agents, never), {
    kind: 'told',
    value: [
      { agent: { node: 'a' }, lines: ['one', 'two'] },
      { agent: { node: 'b' }, lines: [] },
    ],
  });
  t.equal(api.calls.length, 2);
  t.match(api.calls[0], {
    path: '/api/v1/namespaces/kube-system/pods/nmi-a/log',
    query: { limitBytes: '131072' },
  });
});

t.test('holds no more of a log than it asked for', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(logOf('x'.repeat(4 * 1024 * 1024)));
  const told = await readLogs(connection, [agent('a')], never);
  const length = told.kind === 'told' ? (told.value[0]?.lines.join().length ?? 0) : 0;
  t.ok(length >= 128 * 1024 && length < 1024 * 1024, `${length} characters`);
});

t.test('could not tell without the right, and where no agent runs', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(refuse(403));
  t.match(await readLogs(connection, [agent('a')], never), {
    kind: 'untold',
    why: /no right to get pods\/log/,
  });
  t.match(await readLogs(connection, [], never), { kind: 'untold', why: /no agent of ours runs/ });
});
