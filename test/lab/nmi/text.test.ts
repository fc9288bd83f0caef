import t, { type Test } from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, identityObject } from '../objects.ts';
import { ask, demo, type Reply, scene, tokenUrl } from './scene.ts';

/** Strings that a pod or an object's author chose, in all that the agent says: to the pod, in its log, in events. */
const skip = unavailable() ?? false;
const marks = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const evil = 'x\r\n2026-01-01T00:00:00Z INFO  request status=200\x1b[2J\x1b]0;owned\x07\u202e';
const megabyte = evil.repeat(13_000);
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (skip) return;
  ({ lab, agent } = await scene(t, { flags: { 'log-format': 'text', 'identity-hold': 0 } }));
  await lab.kube.apply(bindingObject('evil', 'default', megabyte, 'evil'));
  await lab.kube.apply(bindingObject('odd', 'default', 'odd', megabyte));
  await lab.kube.apply(
    identityObject('mega', 'default', { ...demo, clientId: megabyte, resourceId: megabyte }),
  );
  await lab.kube.apply(bindingObject('mega', 'default', 'mega', 'mega'));
  for (const name of ['evil', 'mega']) await lab.addPod({ name, labels: { aadpodidbinding: name } });
  await agent.ready();
});

/** The answer is one clean sentence, and so are the line and the event that tell of it. */
async function isClean(t: Test, pod: string, { body, requestId }: Reply): Promise<void> {
  const told = String(body.error_description);
  t.notMatch(told, marks);
  t.ok(told.length < 1_000, told.slice(0, 80));
  const line = await eventually('the line is written', () =>
    agent
      .output()
      .split('\n')
      .find((text) => text.includes(requestId)),
  );
  t.notMatch(line, marks);
  t.ok(line.length < 2_000);
  const [event] = await eventually('the event is there', async () => {
    const events = await lab.kube.list('Event', undefined, { fieldSelector: `involvedObject.name=${pod}` });
    return events.length > 0 ? events : undefined;
  });
  const { message } = event as KubeObject & { message: string };
  t.notMatch(message, marks);
  t.ok(Buffer.byteLength(message) <= 1_024);
}

t.test('ids, resource and headers of a pod', { skip }, async (t) => {
  const query = `&client_id=${encodeURIComponent(evil.repeat(20))}`;
  const own = ['-H', `User-Agent: ${'\u009b31m\u202e'.repeat(20)}`];
  const reply = await ask(lab, 'demo', `${tokenUrl}${encodeURIComponent(evil)}${query}`, ...own);
  t.match(reply, { status: 400, body: { error_description: /client_id x\?\?2026/ } });
  await isClean(t, 'demo', reply);
  const escaped = await ask(lab, 'demo', tokenUrl, '-H', 'User-Agent: \x1b[2J');
  t.match(escaped, { status: 400, body: { error_description: 'The request is not valid HTTP/1.1' } });
  const large = await ask(lab, 'demo', `${tokenUrl}&client_id=${'a'.repeat(100_000)}`);
  t.match(large, { status: 431, body: { error: 'invalid_request' } });
});

t.test('a binding that names a megabyte of escapes', { skip }, async (t) => {
  const reply = await ask(lab, 'evil');
  t.match(reply, { status: 404, body: { error_description: /AzureIdentity x\?\?2026/ } });
  await isClean(t, 'evil', reply);
});

t.test('an identity of a megabyte costs its own pods their token, and nobody else', { skip }, async (t) => {
  const { status } = await ask(lab, 'mega');
  t.ok(status >= 400, `${status}`);
  t.equal((await ask(lab, 'demo')).status, 200);
  t.equal(agent.ended(), undefined);
});

t.test('nothing of it has reached the log, from the first line to the last', { skip }, async (t) => {
  await agent.stop();
  const lines = agent.output().split('\n');
  for (const line of lines) {
    t.notMatch(line, marks);
    t.ok(line.length < 2_000, line.slice(0, 200));
    t.notMatch(line, /^2026-01-01/);
  }
});
