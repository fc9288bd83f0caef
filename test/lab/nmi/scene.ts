import type { Test } from 'tap';
import { addresses } from '../addresses.ts';
import type { Agent, AgentOptions } from '../agent.ts';
import { sampleIdentity } from '../imds/token.ts';
import { createLab, type Lab } from '../lab.ts';
import { bindingObject, identityObject } from '../objects.ts';

export const resource = 'https://vault.azure.net';
export const tokenUrl = `http://${addresses.imds}/metadata/identity/oauth2/token?resource=${resource}`;
export const demo = sampleIdentity('demo');

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly requestId: string;
}

/** A lab with pod `demo` bound to identity `demo` and pod `plain` bound to nothing, and an agent that is starting. */
export async function scene(t: Test, options: AgentOptions = {}): Promise<{ lab: Lab; agent: Agent }> {
  const lab = await createLab({
    pods: [{ name: 'demo', labels: { aadpodidbinding: 'demo' } }, { name: 'plain' }],
  });
  t.teardown(() => lab.down());
  await lab.imds.assign(demo, sampleIdentity('other'));
  await lab.kube.apply(identityObject('demo', 'default', demo));
  await lab.kube.apply(bindingObject('demo', 'default', 'demo', 'demo'));
  return { lab, agent: lab.startAgent(options) };
}

/** Status 0: no answer. */
export async function ask(lab: Lab, pod: string, url = tokenUrl, ...more: readonly string[]): Promise<Reply> {
  const format = '\n%{http_code} %header{x-ms-request-id}';
  const command = [
    'curl',
    '-sS',
    '--path-as-is',
    '--max-time',
    '12',
    '-w',
    format,
    '-H',
    'Metadata: true',
    ...more,
    url,
  ];
  const { stdout } = await lab.exec(pod, command);
  const cut = stdout.lastIndexOf('\n');
  const [status = '0', requestId = ''] = stdout.slice(cut + 1).split(' ');
  const text = stdout.slice(0, Math.max(cut, 0));
  return {
    status: Number(status),
    body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
    requestId,
  };
}

export async function ourRules(lab: Lab): Promise<string[]> {
  const saved = [await lab.iptablesSave('nft'), await lab.iptablesSave('legacy')].join('\n');
  return saved.split('\n').filter((line) => line.includes('aad-metadata'));
}

/** Addresses in IMDS's log: only the node's may be there. */
export async function askers(lab: Lab): Promise<string[]> {
  return [...new Set((await lab.imds.log()).requests.map(({ remoteAddress }) => remoteAddress))];
}
