import type { Test } from 'tap';
import { createLogger, type Logger } from '../../lib/platform/log.ts';
import type { Azure } from '../../lib/workload/azure.ts';
import { type Imds, startImds } from '../lab/imds/imds.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { type FakeAzure, type FakeAzureOptions, startFakeAzure } from './fake-azure.ts';

/** The pod's identity. */
export const identity = sampleIdentity('demo');

export interface Rig {
  readonly imds: Imds;
  readonly fake: FakeAzure;
  /** The two as one cloud. */
  readonly azure: Azure;
  readonly log: Logger;
  /** What was logged, without its times. */
  readonly lines: readonly string[];
  /** Until that many lines are there. */
  logged(count: number): Promise<void>;
}

/** A metadata service that serves a pod as NMI does, its Azure, and a log. */
export async function rig(t: Test, options: FakeAzureOptions = {}): Promise<Rig> {
  const fake = await startFakeAzure(t, options);
  const imds = await startImds({ identities: [identity], systemAssigned: null });
  t.teardown(() => imds.close());
  const armAudience = 'https://management.azure.com';
  const cloud = {
    name: 'AzurePublicCloud',
    arm: fake.origin,
    armAudience,
    login: 'login.microsoftonline.com',
  };
  const azure: Azure = { imds: imds.url, cloud, described: undefined, proxy: { url: '', except: '' } };
  return { imds, fake, azure, ...recorder() };
}

function recorder(): Pick<Rig, 'log' | 'lines' | 'logged'> {
  const lines: string[] = [];
  let waiting: { readonly count: number; readonly done: () => void } | undefined;
  const write = (line: string): void => {
    lines.push(line.replace(/^\S+ /, '').trimEnd());
    if (waiting && lines.length >= waiting.count) waiting.done();
  };
  const logged = (count: number): Promise<void> =>
    new Promise((done) => {
      if (lines.length >= count) done();
      else waiting = { count, done };
    });
  return { log: createLogger('text', { to: { write } }), lines, logged };
}

/** Fails where a token that the simulator has handed out, or its signature, or the secret stands in the text. */
export function holdsNoToken(t: Test, text: string): void {
  t.notMatch(text, /eyJ[\w-]{10}/, 'no token');
  t.notMatch(text, /[\w-]{200}/, 'no signature');
  t.notMatch(text, /Bearer/, 'no header');
}
