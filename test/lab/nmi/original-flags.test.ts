import t from 'tap';
import { claimsOf } from '../../lab/imds/token.ts';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, askers, demo, scene, tokenUrl } from './scene.ts';
import { assign, pair } from './standard-scene.ts';

/** Flags of the original that ordinary clusters leave alone. One lab, one agent after the other. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (!skip) ({ lab, agent } = await scene(t));
});

async function restart(flags: Readonly<Record<string, string | number | boolean>>): Promise<void> {
  await agent.stop();
  agent = lab.startAgent({ flags });
  await agent.ready();
}

const debugging = (): unknown[] => agent.logs().flatMap(({ level, msg }) => (level === 'debug' ? [msg] : []));

const klog = {
  logtostderr: true,
  alsologtostderr: true,
  stderrthreshold: 'INFO',
  log_dir: '/var/log',
  log_file: '/var/log/nmi',
  log_file_max_size: 1800,
  log_backtrace_at: 'main.go:12',
  skip_headers: true,
  skip_log_headers: true,
  add_dir_header: true,
  one_output: true,
  vmodule: 'server*=4',
};

t.test("every flag of the original's logging library is taken; -v=5 tells more", { skip }, async (t) => {
  await agent.ready();
  t.same(debugging(), []);
  t.ok(
    agent.logs().some(({ level, msg }) => level === 'warn' && msg === 'kubenet cannot be ruled out'),
    'a kubelet config that is missing is a warning',
  );
  await restart({ ...klog, v: 5 });
  t.equal((await ask(lab, 'demo')).status, 200);
  const told = debugging();
  for (const line of ['kubernetes list read', 'kubernetes watch open']) t.ok(told.includes(line), line);
});

t.test('--metadata-ip and --metadata-port: an IMDS at another address', { skip }, async (t) => {
  const port = 8081;
  const moved = ['-d', addresses.azure, '-p', 'tcp', '--dport', `${port}`];
  const there = ['-j', 'DNAT', '--to-destination', `${addresses.imds}:80`];
  const usual = ['-d', addresses.imds, '-p', 'tcp', '--dport', '80'];
  for (const rule of [
    ['-t', 'nat', '-A', 'PREROUTING', ...moved, ...there],
    ['-t', 'raw', '-A', 'PREROUTING', ...usual, '-j', 'DROP'],
  ]) {
    const { code, stderr } = await lab.onAzure(['iptables', ...rule]);
    t.equal(code, 0, stderr);
  }
  await restart({ 'metadata-ip': addresses.azure, 'metadata-port': port });
  await lab.imds.clear();
  const at = (url: string): string => url.replace(addresses.imds, `${addresses.azure}:${port}`);
  const { status, body } = await ask(lab, 'demo', at(tokenUrl));
  t.equal(status, 200);
  t.equal(claimsOf(String(body.access_token)).appid, demo.clientId);
  t.equal((await ask(lab, 'plain', at(tokenUrl))).status, 400);
  t.equal((await ask(lab, 'plain', at(`http://${addresses.imds}/metadata/versions`))).status, 200);
  t.same(await askers(lab), [addresses.node]);
  t.equal((await lab.imds.log()).requests.length, 2);
  await lab.onAzure(['iptables', '-t', 'raw', '-F']);
});

t.test('--MICNamespace tells where MIC is', { skip }, async (t) => {
  const labels = { app: 'mic', component: 'mic' };
  await lab.addPod({ name: 'mic', namespace: 'azure', labels });
  await lab.addPod({ name: 'mimic', labels });
  await assign(lab, { name: 'demo' }, { ...pair('demo'), state: 'Assigned' });
  await restart({ 'operation-mode': 'standard', MICNamespace: 'azure' });
  t.equal((await ask(lab, 'mic')).status, 200);
  t.equal((await ask(lab, 'mimic')).status, 400);
  t.equal((await ask(lab, 'demo')).status, 200);
});

t.test('--reject-forwarded-for=false takes what the original took', { skip }, async (t) => {
  const forwarded = ['-H', 'X-Forwarded-For: 10.0.0.1'] as const;
  t.equal((await ask(lab, 'demo', tokenUrl, ...forwarded)).status, 400);
  await restart({ 'reject-forwarded-for': false });
  t.equal((await ask(lab, 'demo', tokenUrl, ...forwarded)).status, 200);
});

t.test('--enableProfile is refused, and says why', { skip }, async (t) => {
  await agent.stop();
  agent = lab.startAgent({ flags: { enableProfile: true } });
  await eventually('it has ended', () => agent.ended() !== undefined);
  t.equal(agent.ended(), 2);
  t.match(agent.output(), /^nmi: --enableProfile is not served: there is no profiler in the agent; .*\n$/);
});
