import t from 'tap';
import type { ExecResult } from '../../../lib/platform/exec.ts';
import { addresses } from '../addresses.ts';
import { claimsOf } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { askers, demo, resource, scene } from './scene.ts';

/** `/host/token`, which the Key Vault drivers ask from the node's own network for a pod that does not run yet. */
const skip = unavailable() ?? false;
const path = `host/token/?resource=${resource}`;
const format = '\n%{http_code} %{errormsg}';
const callFor = (pod: string): string[] => [
  'curl',
  '-s',
  '--max-time',
  '2',
  '-w',
  format,
  '-H',
  `podname: ${pod}`,
  '-H',
  'podns: default',
];

interface Told {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** curl's word when there was no answer. */
  readonly problem: string;
}

function told({ stdout }: ExecResult): Told {
  const cut = stdout.lastIndexOf('\n');
  const [, status, problem = ''] = /^(\d+) ?(.*)$/.exec(stdout.slice(cut + 1)) ?? [];
  const text = stdout.slice(0, Math.max(cut, 0));
  return { status: Number(status), body: text ? (JSON.parse(text) as Told['body']) : {}, problem };
}

async function fromNode(lab: Lab, url = `http://localhost:2579/${path}`, pod = 'demo'): Promise<Told> {
  return told(await lab.onNode([...callFor(pod), url]));
}

async function fromPod(lab: Lab, url: string): Promise<Told> {
  return told(await lab.exec('plain', [...callFor('demo'), '-H', 'Metadata: true', url]));
}

/** Makes 127.0.0.1 a host behind the node for the pod, and the node route it: all that a pod with NET_ADMIN can do, and more. */
async function loopbackByWayOfTheNode(lab: Lab): Promise<void> {
  const localnet = ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet'];
  await lab.onNode(localnet);
  await lab.exec('plain', localnet);
  await lab.exec('plain', ['ip', 'address', 'del', '127.0.0.1/8', 'dev', 'lo']);
  await lab.exec('plain', ['ip', 'route', 'add', '127.0.0.1/32', 'via', addresses.bridge]);
}

t.test(
  "the driver's call gets the pod's token, though pods are served on the node's address",
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const { status, body } = await fromNode(lab);
    t.equal(status, 200);
    t.equal(body.clientid, demo.clientId);
    const { access_token: token, ...rest } = body.token as Record<string, string>;
    t.same(Object.keys(rest), [
      'refresh_token',
      'expires_in',
      'expires_on',
      'not_before',
      'resource',
      'token_type',
    ]);
    t.match(claimsOf(token ?? ''), { appid: demo.clientId, aud: resource });
    t.same(await askers(lab), [addresses.node]);

    t.match(await fromNode(lab, undefined, 'plain'), {
      status: 404,
      body: { error_description: /default\/plain has no label aadpodidbinding/ },
    });
  },
);

t.test('no pod reaches it, whatever way it takes', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  t.equal((await fromPod(lab, `http://${addresses.imds}/${path}`)).status, 404, 'through the redirect');
  for (const ip of [addresses.node, addresses.bridge]) {
    t.match(await fromPod(lab, `http://${ip}:2579/${path}`), { status: 0 }, ip);
  }
  await loopbackByWayOfTheNode(lab);
  const probe = await lab.exec('plain', ['curl', '-s', '--max-time', '2', agent.probe.concat('/healthz')]);
  t.equal(probe.stdout, 'Active', "the node's loopback is open to this pod");
  t.match(await fromPod(lab, `http://127.0.0.1:2579/${path}`), { body: { token: undefined } });
  t.same(await askers(lab), []);
});

t.test('--host-token=off closes the port', { skip }, async (t) => {
  const { lab, agent } = await scene(t, { flags: { 'host-token': 'off' } });
  await agent.ready();
  t.match(await fromNode(lab), { status: 0, problem: /[Cc]onnect/ });
  t.equal((await fromNode(lab, `http://${addresses.node}:2579/${path}`)).status, 404);
});

t.test(
  'a listener on all addresses answers localhost, and no IPv6 address, which nothing guards',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t, { flags: { 'nmi-listen-address': '::' } });
    await agent.ready();
    for (const host of ['localhost', '127.0.0.1']) {
      t.equal((await fromNode(lab, `http://${host}:2579/${path}`)).status, 200, host);
    }
    t.match(await lab.onNode(['curl', '-sS', `http://[::1]:2579/${path}`]), {
      code: 7,
      stderr: /Failed to connect/,
    });
    t.equal((await fromPod(lab, `http://${addresses.imds}/${path}`)).status, 404);
  },
);
