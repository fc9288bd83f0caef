import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { AssignedObjects } from '../../lib/kube/assigned-objects.ts';
import { Connection } from '../../lib/kube/connection.ts';
import { micAssigned } from '../../lib/kube/mic-assigned.ts';
import { Turns } from '../../lib/kube/turns.ts';
import { Writer } from '../../lib/kube/writer.ts';
import type { AssignedObject } from '../../lib/model/assigned-object.ts';
import { FakeClock } from '../fakes/clock.ts';
import type { KubeObject } from '../lab/kube/object.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';

/** A clock on which every sleep is over at once: time has moved on, and nobody had to wait. */
export class HastyClock extends FakeClock {
  readonly pauses: number[] = [];

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.pauses.push(ms);
    await this.advance(ms);
  }
}

/** MIC's side of a stand-in: its connection with its rights, and what it writes with. */
export interface MicRig {
  readonly api: KubeApi;
  readonly clock: HastyClock;
  readonly connection: Connection;
  readonly writer: Writer;
  readonly objects: AssignedObjects;
  /** The AzureAssignedIdentity as MIC sees it now. */
  seen(name: string, namespace?: string): AssignedObject;
  /** Requests that MIC has made, as `PUT 409`, since the last call. */
  made(): string[];
}

export async function micRig(t: Test): Promise<MicRig> {
  const clock = new HastyClock();
  const api = await startKubeApi({ clock });
  t.teardown(() => api.close());
  const dir = mkdtempSync(join(tmpdir(), 'kube-mic-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'kubeconfig');
  writeFileSync(path, api.kubeconfig('mic-token'));
  const connection = new Connection({ source: { kind: 'kubeconfig', path }, userAgent: 'test', clock });
  t.teardown(() => connection.close());
  const turns = new Turns({ clock, qps: 1_000, perLane: 20 });
  const writer = new Writer({ connection, turns, random: () => 0 });
  const objects = new AssignedObjects(writer);
  const { parse } = micAssigned();
  return {
    ...{ api, clock, connection, writer, objects },
    seen(name, namespace = 'default') {
      const object = parse(api.get('AzureAssignedIdentity', namespace, name));
      if (!object) throw new Error(`no AzureAssignedIdentity ${name}`);
      return object;
    },
    made() {
      const lines = api.requests().map(({ method, status }) => `${method} ${status}`);
      api.clearRequests();
      return lines;
    },
  };
}

/** Changes an object in the stand-in behind MIC's back; its resourceVersion moves on. */
export function touch(api: KubeApi, name: string, change: (object: KubeObject) => KubeObject): void {
  const object = api.get('AzureAssignedIdentity', 'default', name);
  if (!object) throw new Error(`no AzureAssignedIdentity ${name}`);
  api.put(change(structuredClone(object)));
}
