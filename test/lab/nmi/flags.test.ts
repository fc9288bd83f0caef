import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemExec } from '../../../lib/platform/exec.ts';
import { addresses } from '../addresses.ts';
import type { Agent, AgentOptions } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { claimsOf } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, demo, scene, tokenUrl } from './scene.ts';
import { assign, pair } from './standard-scene.ts';

/** What flags change, seen from outside. One lab, one agent after the other. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (!skip) ({ lab, agent } = await scene(t));
});

async function restart(options: AgentOptions): Promise<void> {
  await agent.stop('SIGKILL');
  agent = lab.startAgent(options);
  await agent.ready();
}

const metadata = (path: string): string => `http://${addresses.imds}/metadata/${path}`;

t.test('--version prints one line and needs nothing else', async (t) => {
  const program = join(import.meta.dirname, '../../../bin/nmi');
  const { code, stdout, stderr } = await systemExec(program, ['--version'], { timeoutMs: 10_000 });
  t.match(
    { code, stdout, stderr },
    { code: 0, stdout: /^MIC Version: (\S+) - NMI Version: \1 - .*\n$/, stderr: '' },
  );
});

t.test('--block-instance-metadata and --custom-user-agent', { skip }, async (t) => {
  await restart({ flags: { 'block-instance-metadata': true, 'custom-user-agent': 'team/7' } });
  for (const path of ['instance?api-version=2021-02-01', 'Instance', 'attested/document']) {
    const { status } = await ask(lab, 'plain', metadata(path));
    t.equal(status, path.startsWith('I') ? 404 : 403, path);
  }
  t.equal((await ask(lab, 'plain', metadata('versions'))).status, 200);
  t.equal((await ask(lab, 'demo')).status, 200);
  const { requests } = await lab.imds.log();
  t.match(requests.at(-1)?.userAgent, /^pod-identity\/NMI\/\S+ team\/7$/);
  const agents = (await lab.kube.requests()).map(({ userAgent }) => userAgent);
  t.match(agents.at(-1), /team\/7$/);
});

t.test('--metadata-header-required=false serves tokens without the header', { skip }, async (t) => {
  await restart({ flags: { 'metadata-header-required': false } });
  t.equal((await ask(lab, 'demo', tokenUrl, '-H', 'Metadata;')).status, 200);
});

t.test("a listener on :: sees the pods' own addresses", { skip }, async (t) => {
  await restart({ flags: { 'nmi-listen-address': '::' } });
  t.equal((await ask(lab, 'demo')).status, 200);
  const { status, requestId } = await ask(lab, 'plain');
  t.equal(status, 400);
  const line = await eventually('the line is written', () =>
    agent.logs().find(({ request }) => request === requestId),
  );
  t.match(line, { address: /10\.98\.1\.11$/, pod: 'default/plain' });
});

t.test('on a node of kubenet it does not start, unless that is allowed', { skip }, async (t) => {
  const file = join(lab.folder, 'kubelet');
  writeFileSync(file, 'KUBELET_FLAGS=--cloud-provider=azure --network-plugin=kubenet\n');
  await agent.stop('SIGKILL');
  agent = lab.startAgent({ flags: { 'kubelet-config': file } });
  await eventually('it has ended', () => agent.ended() !== undefined);
  t.not(agent.ended(), 0);
  t.match(agent.output(), /nmi: .*kubenet.*\n$/);
  agent = lab.startAgent({ flags: { 'kubelet-config': file, 'allow-network-plugin-kubenet': true } });
  await agent.ready();
  t.equal((await ask(lab, 'demo')).status, 200);
});

/** What the chart of 1.8.17 passes when every value of it is set; it passes no listen address. */
const chart = {
  'http-probe-port': 8085,
  enableScaleFeatures: true,
  'metadata-header-required': true,
  'operation-mode': 'standard',
  'kubelet-config': '/etc/default/kubelet',
  'ipt-update-interval-sec': 60,
  MICNamespace: 'default',
  'retry-attempts-for-created': 16,
  'retry-attempts-for-assigned': 4,
  'find-identity-retry-interval': 5,
  'prometheus-port': 9090,
  'block-instance-metadata': false,
  'set-retry-after-header': true,
  'enable-conntrack-deletion': true,
  'custom-user-agent': 'chart',
  'log-format': 'json',
  logtostderr: true,
};

t.test("every argument of the original's chart at once", { skip }, async (t) => {
  await assign(lab, { name: 'demo' }, { ...pair('demo'), state: 'Assigned' });
  await restart({ flags: { ...chart, 'nmi-listen-address': '127.0.0.1', v: 0 } });
  const { status, body } = await ask(lab, 'demo');
  t.equal(status, 200);
  t.equal(claimsOf(String(body.access_token)).appid, demo.clientId);
  const program = join(import.meta.dirname, '../../../bin/nmi');
  const bare = ['--allow-network-plugin-kubenet', '--logtostderr', '-v=0', '--forceNamespaced', '--node'];
  const { code, stderr } = await systemExec(program, bare, { timeoutMs: 10_000 });
  t.match(
    { code, stderr },
    { code: 2, stderr: /^nmi: --node needs a value: .*\n$/ },
    'bare ones are flags, too',
  );
});
