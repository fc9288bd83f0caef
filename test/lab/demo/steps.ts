import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ExecResult } from '../../../lib/platform/exec.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { sampleIdentity } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { applyBinding, startStandard } from './standard.ts';

/** What the steps share; the first two fill it. */
export interface Stage {
  lab: Lab;
  agent: Agent;
}

/** One thing to see: `run` does it, checks it, and gives lines to show. Throws when it is not as the title says. */
export interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<readonly string[]>;
}

const root = join(import.meta.dirname, '../../..');
const resource = 'https://vault.azure.net';
const tokenUrl = `http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`;
const { clientId } = sampleIdentity('demo');

export const steps: readonly Step[] = [
  { title: 'the agent is ready, and these are its rules in the node', run: showRules },
  {
    title: 'pod demo asks with curl and gets a token for its identity',
    run: (stage) => tokenByCurl(stage, 'demo'),
  },
  ...(['ManagedIdentityCredential', 'DefaultAzureCredential', 'msal-node'] as const).map((sdk) => ({
    title: `pod demo asks with ${sdk === 'msal-node' ? '@azure/msal-node' : `@azure/identity ${sdk}`}, given only the resource`,
    run: (stage: Stage) => tokenBySdk(stage, sdk, []),
  })),
  {
    title: 'pod demo asks with @azure/identity ManagedIdentityCredential, given a client id',
    run: (stage) => tokenBySdk(stage, 'ManagedIdentityCredential', [clientId]),
  },
  { title: 'pod demo reads /metadata/instance, which passes through', run: instance },
  { title: 'pod unbound is refused, and told what is missing and how to add it', run: unbound },
  { title: "pod excepted passes, and gets the node's own identity", run: excepted },
  { title: 'the path-confusion attack is refused, and nothing reaches IMDS', run: pathConfusion },
  { title: 'SIGTERM: the agent ends and no rule of ours is left in any table', run: sigterm },
  { title: 'SIGKILL: the rules stand, so no pod gets through to IMDS', run: sigkill },
  { title: 'bin/cleanup-iptables clears what the killed agent left', run: cleanUp },
  { title: 'standard mode: MIC and an agent start', run: ({ lab }) => startStandard(lab) },
  {
    title: 'an AzureIdentity, its binding and a pod are applied; MIC assigns the identity to the VM',
    run: ({ lab }) => applyBinding(lab),
  },
  {
    title: 'pod shop asks with curl and gets a token for its identity',
    run: (stage) => tokenByCurl(stage, 'shop'),
  },
];

async function showRules({ lab, agent }: Stage): Promise<string[]> {
  await agent.ready();
  const rules = await ourRules(lab);
  assert.ok(rules.length >= 6, 'redirect, guard and their jumps stand');
  return rules;
}

async function tokenByCurl({ lab }: Stage, pod: string): Promise<string[]> {
  const { body } = await curl(lab, pod, tokenUrl);
  assert.equal(body.resource, resource);
  return [identityOf(String(body.access_token), sampleIdentity(pod).clientId)];
}

async function tokenBySdk({ lab }: Stage, sdk: string, args: readonly string[]): Promise<string[]> {
  const program = join(import.meta.dirname, 'sdk-token.ts');
  const { code, stdout, stderr } = await lab.exec('demo', [
    process.execPath,
    program,
    sdk,
    resource,
    ...args,
  ]);
  assert.equal(code, 0, stderr);
  return [identityOf(stdout, clientId)];
}

async function instance({ lab }: Stage): Promise<string[]> {
  const { status, body } = await curl(
    lab,
    'demo',
    'http://169.254.169.254/metadata/instance?api-version=2021-02-01',
  );
  assert.equal(status, 200);
  const { name, location } = body.compute as { name: string; location: string };
  return [`compute.name ${name}, compute.location ${location}`];
}

async function unbound({ lab }: Stage): Promise<string[]> {
  const { status, body } = await curl(lab, 'unbound', tokenUrl);
  assert.equal(status, 400);
  assert.match(
    String(body.error_description),
    /^Identity not found\. Pod default\/unbound has no label aadpodidbinding.* Add the label/,
  );
  return [String(status), String(body.error_description)];
}

async function excepted({ lab }: Stage): Promise<string[]> {
  const { body } = await curl(lab, 'excepted', tokenUrl);
  const claims = claimsOf(String(body.access_token));
  assert.notEqual(claims.appid, clientId);
  assert.match(String(claims.xms_mirid), /Microsoft\.Compute/);
  return [`${claims.xms_mirid}`];
}

async function pathConfusion({ lab }: Stage): Promise<string[]> {
  await lab.imds.clear();
  const attack = `http://169.254.169.254/metadata/identity\\oauth2\\token?api-version=2018-02-01&resource=${resource}`;
  const { status, body } = await curl(lab, 'unbound', attack);
  assert.equal(status, 400);
  const { requests } = await lab.imds.log();
  assert.equal(requests.length, 0);
  return [`${status} ${body.error_description}`, 'requests that IMDS saw: 0'];
}

async function sigterm({ lab, agent }: Stage): Promise<string[]> {
  assert.equal(await agent.stop('SIGTERM'), 0);
  assert.deepEqual(await ourRules(lab), []);
  return ['exit status 0, iptables-save of both backends shows nothing of ours'];
}

async function sigkill(stage: Stage): Promise<string[]> {
  const { lab } = stage;
  stage.agent = lab.startAgent();
  await stage.agent.ready();
  await stage.agent.stop('SIGKILL');
  const rules = await ourRules(lab);
  assert.ok(rules.length >= 6, 'the rules stand');
  await lab.imds.clear();
  const { code } = await lab.exec('demo', [
    'curl',
    '-s',
    '--max-time',
    '2',
    '-H',
    'Metadata: true',
    tokenUrl,
  ]);
  assert.notEqual(code, 0);
  assert.equal((await lab.imds.log()).requests.length, 0);
  return [
    `${rules.length} lines of ours in iptables-save`,
    'a pod that asks now gets no connection; IMDS saw 0 requests',
  ];
}

async function cleanUp({ lab }: Stage): Promise<string[]> {
  const { code, stdout, stderr } = await lab.onNode([join(root, 'bin/cleanup-iptables')]);
  assert.equal(code, 0, stderr);
  await eventually('no rule is left', async () => (await ourRules(lab)).length === 0);
  return stdout.trim().split('\n');
}

async function ourRules(lab: Lab): Promise<string[]> {
  const saved = await Promise.all([lab.iptablesSave('nft'), lab.iptablesSave('legacy')]);
  const lines = saved.flatMap((text) => text.split('\n'));
  return lines.filter((line) => line.includes('aad-metadata') && !line.startsWith('#'));
}

async function curl(
  lab: Lab,
  pod: string,
  url: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const command = [
    'curl',
    '-sS',
    '--path-as-is',
    '--max-time',
    '10',
    '-w',
    '\n%{http_code}',
    '-H',
    'Metadata: true',
    url,
  ];
  const { code, stdout, stderr }: ExecResult = await lab.exec(pod, command);
  assert.equal(code, 0, stderr);
  const cut = stdout.lastIndexOf('\n');
  return {
    status: Number(stdout.slice(cut + 1)),
    body: JSON.parse(stdout.slice(0, cut)) as Record<string, unknown>,
  };
}

function identityOf(token: string, expected: string): string {
  const { appid, aud, xms_mirid: resourceId } = claimsOf(token);
  assert.equal(appid, expected);
  return `token for appid ${appid}, audience ${aud}, ${resourceId}`;
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}
