import t from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, tokenUrl } from './scene.ts';
import { assign, metric, pair, standardAgent, standardLab } from './standard-scene.ts';

/** Standard mode where waiting is short: how a wait ends in vain, and what takes a token away. One agent after the other. */
const skip = unavailable() ?? false;
const team = { name: 'team', namespace: 'team' };
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (skip) return;
  lab = await standardLab(t, [{ name: 'app' }, { name: 'slow' }, team], ['app', 'slow']);
  await lab.kube.apply(pair('app').binding);
  await assign(lab, { name: 'app' }, { ...pair('app'), state: 'Assigned' });
  await assign(lab, { name: 'slow' }, { ...pair('slow'), state: 'Created' });
  await assign(lab, team, { ...pair('slow'), state: 'Assigned' });
  await lab.kube.patch('AzureAssignedIdentity', 'app-default-app', { metadata: { labels: null } });
  const flags = { 'identity-hold': 1, enableScaleFeatures: false, forceNamespaced: true };
  agent = await standardAgent(lab, { flags });
});

t.test('--enableScaleFeatures=false: assignments without the label nodename count', { skip }, async (t) => {
  t.equal((await ask(lab, 'app')).status, 200);
});

t.test('--identity-hold: the wait ends in a 404 that tells what is missing', { skip }, async (t) => {
  t.match(await ask(lab, 'slow'), {
    status: 404,
    body: {
      error: 'not_found',
      error_description: /AzureIdentity slow is being assigned to the machine/,
    },
  });
  t.equal(await metric(lab, agent, 'podidentity_answers_total{route="token",code="not-assigned"}'), 1);
  t.equal(await metric(lab, agent, 'podidentity_waiting_requests'), 0);
});

t.test('--forceNamespaced: an identity of another namespace is refused at once', { skip }, async (t) => {
  t.match(await ask(lab, 'team'), { status: 400, body: { error_description: /--forceNamespaced/ } });
});

t.test(
  'tokens end with the assignment, though they are cached; a binding is for MIC to follow',
  { skip },
  async (t) => {
    const refusedFor = (why: RegExp) => async (): Promise<boolean> => {
      const { status, body } = await ask(lab, 'app');
      return status === 404 && why.test(String(body.error_description));
    };
    t.equal((await ask(lab, 'app')).status, 200);
    await lab.kube.delete('AzureAssignedIdentity', 'app-default-app');
    await eventually('the assignment is missed', refusedFor(/MIC has not made the assignment/));
    await lab.kube.delete('AzureIdentityBinding', 'app');
    await eventually('the binding is missed', refusedFor(/no AzureIdentityBinding has that selector/));
    await assign(lab, { name: 'app' }, { ...pair('app'), state: 'Assigned' });
    await eventually('MIC has the last word', async () => (await ask(lab, 'app')).status === 200);
  },
);

t.test(
  "the original's retry flags set the hold, and --set-retry-after-header its end",
  { skip },
  async (t) => {
    await agent.stop('SIGKILL');
    const retry = {
      'retry-attempts-for-created': 1,
      'retry-attempts-for-assigned': 0,
      'find-identity-retry-interval': 1,
    };
    const flags = { ...retry, 'set-retry-after-header': true };
    agent = await standardAgent(lab, { flags, env: { FORCENAMESPACED: 'true' } });
    const head = ['curl', '-sS', '--max-time', '12', '-o', '/dev/null', '-D', '-', '-H', 'Metadata: true'];
    const { stdout } = await lab.exec('slow', [...head, tokenUrl]);
    t.match(stdout, /^HTTP\/1\.1 503 /);
    t.match(stdout, /^retry-after: 20\r$/im);
    t.match(await ask(lab, 'team'), { status: 400, body: { error_description: /--forceNamespaced/ } });
  },
);
