import t from 'tap';
import { addresses } from '../addresses.ts';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import { ask, askers, ourRules, scene, tokenUrl } from './scene.ts';

/** The agent whole: its own process, through the kernel's real redirect, against the lab's Azure and Kubernetes API. */
const skip = unavailable() ?? false;

t.test('a token request waits until the caches are synced', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  t.teardown(() => agent.stop('SIGKILL'));
  await agent.ready();
  await agent.stop('SIGKILL');
  await lab.kube.fault({ away: true });
  const next = lab.startAgent();
  await eventually('the listener is open', () => next.output().includes('serving pods'));
  t.match(await next.probed('/readyz'), { status: 503, body: /pods/ });
  t.equal((await next.probed('/healthz')).status, 200);
  const waiting = ask(lab, 'demo');
  await lab.kube.fault({ away: false });
  t.equal((await waiting).status, 200);
});

t.test(
  'SIGKILL leaves the rules, nothing passes by, and the next start takes them over',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const before = unsigned(await ourRules(lab));
    await agent.stop('SIGKILL');
    t.same(unsigned(await ourRules(lab)), before);
    t.equal((await ask(lab, 'demo', tokenUrl, '--max-time', '1')).status, 0);
    t.same(await askers(lab), []);
    const next = lab.startAgent();
    await next.ready();
    t.same(unsigned(await ourRules(lab)), before, 'not doubled');
    t.equal((await ask(lab, 'demo')).status, 200);
    t.equal(await next.stop('SIGINT'), 0);
    t.same(await ourRules(lab), []);
  },
);

t.test('rules that somebody flushes are put back, and nothing passes by meanwhile', { skip }, async (t) => {
  const { lab, agent } = await scene(t, { backend: 'nft' });
  await agent.ready();
  await lab.onNode(['iptables-nft', '-t', 'nat', '-F']);
  const asked = ask(lab, 'demo');
  t.equal((await asked).status, 200, 'the connection that was opened in the gap succeeds');
  t.same(await askers(lab), [addresses.node]);
  t.match(agent.output(), /iptables rules repaired/);
});

t.test('a request that is being answered when SIGTERM comes still gets its answer', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  await lab.imds.fault({ kind: 'latency', afterMs: 1500 });
  const asked = ask(lab, 'demo');
  await eventually('IMDS has the request', async () => (await lab.imds.log()).requests.length === 1);
  t.equal(await agent.stop('SIGTERM'), 0);
  t.equal((await asked).status, 200);
});

t.test('metrics count what happened, and no token is in log or metrics', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  const { body } = await ask(lab, 'demo');
  await ask(lab, 'plain');
  const scrape = async (): Promise<string> => (await lab.onNode(['curl', '-s', agent.metrics])).stdout;
  const metrics = await eventually('both are counted', async () => {
    const page = await scrape();
    return page.includes('code="no-label"') ? page : undefined;
  });
  t.match(metrics, /podidentity_answers_total\{route="token",code="token"\} 1/);
  t.match(metrics, /podidentity_answers_total\{route="token",code="no-label"\} 1/);
  t.match(
    metrics,
    /aadpodidentity_nmi_operations_duration_seconds_count\{operation_type="[^"]+",status_code="200",namespace="default",resource="https:\/\/vault\.azure\.net"\} 1/,
  );
  t.match(metrics, /podidentity_ready 1/);
  const token = String(body.access_token);
  t.notOk(agent.output().includes(token.slice(0, 40)) || metrics.includes(token.slice(0, 40)));
  t.notMatch(agent.output(), /resource=/);
});

t.test('a start that cannot work says why in one sentence and ends', { skip }, async (t) => {
  const { agent } = await scene(t, { flags: { 'nmi-port': 'many' } });
  await eventually('it has ended', () => agent.ended() !== undefined);
  t.equal(agent.ended(), 2);
  t.match(agent.output(), /^nmi: --nmi-port is "many", but it takes a port from 1 to 65535\n$/);
});

t.test('--log-format=text writes a line per request for people', { skip }, async (t) => {
  const { lab, agent } = await scene(t, { flags: { 'log-format': 'text' } });
  await agent.ready();
  const { requestId } = await ask(lab, 'demo');
  const lineOf = (): string | undefined =>
    agent
      .output()
      .split('\n')
      .find((text) => text.includes(requestId));
  const line = await eventually('the request is logged', lineOf);
  t.match(
    line,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}request .*method=GET route=token status=200 code=token .*pod=default\/demo identity=default\/demo$/,
  );
});

/** The lines without the name of the agent that wrote them. */
function unsigned(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/pod-identity:[0-9a-f]+/, 'pod-identity:…'));
}
