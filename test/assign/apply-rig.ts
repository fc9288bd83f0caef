import type { Test } from 'tap';
import { Applier } from '../../lib/assign/apply.ts';
import type { ApplyDoors, ApplySettings, Outcry, Write } from '../../lib/assign/apply-doors.ts';
import type { Arm } from '../../lib/assign/arm.ts';
import type { Machine } from '../../lib/assign/machine.ts';
import { plan } from '../../lib/assign/plan.ts';
import type { PlanSettings, Snapshot } from '../../lib/assign/snapshot.ts';
import { FakeArm } from '../fakes/arm.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { MemoryLog } from '../kube/rig.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { FakeObjects, type Moment } from './fake-objects.ts';
import { aMicPod, armId, aSeenBinding, aSeenIdentity, plainSettings, vmssId } from './making.ts';
import { World } from './world.ts';

export const repairMs = 180_000;
const home = { subscription: 'sub', resourceGroup: 'group' } as const;

/** A cluster, an Azure and the hour: what outlives a MIC. */
export class Stage {
  readonly clock = new FakeClock();
  readonly arm = new FakeArm(this.clock);
  readonly world: World;
  readonly events: Outcry[] = [];

  constructor(settings: Partial<PlanSettings> = {}) {
    this.world = new World({ ...plainSettings, graceMs: 0, ...settings });
  }

  /** Scale set `name` with one node, `NAME000001`. */
  async scaleSet(name: string): Promise<string> {
    const node = `${name}000001`;
    await this.arm.azure.addMachine({ ...home, kind: 'vmss', name });
    this.world.nodes.set(node, vmssId(name, '1'));
    return node;
  }

  /** An identity of that name in Azure and as an AzureIdentity, with its binding for the pods labelled with it. */
  bind(...names: readonly string[]): void {
    for (const name of names) {
      this.createIdentity(name);
      const { clientId } = sampleIdentity(name);
      this.world.put(this.world.identities, aSeenIdentity({ name, clientId }));
      const binding = { name: `${name}-binding`, azureIdentity: name, selector: name };
      this.world.put(this.world.bindings, aSeenBinding(binding));
    }
  }

  createIdentity(name: string, assignable = true): void {
    this.arm.azure.createIdentities({ ...sampleIdentity(name), resourceId: armId(name), assignable });
  }

  pod(name: string, node: string, label = name): void {
    const labels = { aadpodidbinding: label };
    this.world.put(this.world.pods, aMicPod({ name, uid: `uid-${name}`, node, labels }));
  }

  endPod(name: string): void {
    this.world.pods.delete(`apps/${name}`);
  }

  stateOf(pod: string, identity = pod): string | undefined {
    return this.world.objects.get(`default/${pod}-apps-${identity}`)?.state;
  }

  /** How many objects are in each state. */
  states(): Record<string, number> {
    const states = [...this.world.objects.values()].map(({ state }) => state);
    return Object.fromEntries(
      [...Map.groupBy(states, (state) => state)].map(([state, all]) => [state, all.length]),
    );
  }

  /** The short names of what is on a scale set. */
  on(name: string): string[] {
    const id = `/subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachineScaleSets/${name}`;
    const { userAssigned = [] } = this.arm.azure.view(id) ?? {};
    return userAssigned.map((each) => each.slice(each.lastIndexOf('/') + 1));
  }

  /** `REASON KIND NAME` of the events so far. */
  told(): string[] {
    return this.events.map(({ about, reason }) => `${reason} ${about.kind} ${about.name}`);
  }
}

export interface MicOptions {
  readonly moment?: Moment;
  readonly settings?: Partial<ApplySettings>;
  /** What the world's ARM is asked through. */
  readonly arm?: Arm;
}

/** One MIC at work on a stage: plans when something has changed, and applies. */
export class StageMic {
  readonly objects: FakeObjects;
  readonly log = new MemoryLog();
  readonly writes: Partial<Record<Write, number>> = {};
  readonly asked: string[] = [];
  readonly applier: Applier;
  isFresh = true;
  readonly #stage: Stage;
  readonly #stop = new AbortController();
  #seen = '';
  #againAtMs = Number.POSITIVE_INFINITY;

  constructor(stage: Stage, { moment, settings, arm = stage.arm }: MicOptions = {}) {
    this.#stage = stage;
    this.objects = new FakeObjects(stage.world, moment);
    const doors: ApplyDoors = {
      arm: this.#watched(arm, moment),
      ...{ objects: this.objects, clock: stage.clock, log: this.log, random: () => 0.5 },
      tell: (event) => void stage.events.push(event),
      onWrite: (write) => {
        this.writes[write] = (this.writes[write] ?? 0) + 1;
      },
      isFresh: () => this.isFresh,
    };
    const all = { immutable: stage.world.settings.immutable, batch: 20, repairMs, ...settings };
    this.applier = new Applier(doors, all, this.#stop.signal);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Makes a plan where the world differs from the last one, as the watches would have it, or where it is time; tells whether it did. */
  sync(snapshot?: Snapshot): boolean {
    const { world, clock } = this.#stage;
    world.nowMs = clock.now();
    const now = snapshot ?? world.snapshot();
    const look = JSON.stringify([now.pods, now.bindings, now.identities, now.assigned, [...now.nodes]]);
    if (look === this.#seen && !snapshot && world.nowMs < this.#againAtMs) return false;
    this.#seen = look;
    const made = plan(now, world.settings);
    this.#againAtMs = made.againAtMs ?? Number.POSITIVE_INFINITY;
    this.applier.apply(made);
    return true;
  }

  /** Lets time pass while MIC works, a second at a time, and in larger steps where it is long. */
  async run(ms: number): Promise<void> {
    const step = Math.max(1_000, ms / 200);
    for (let left = ms; ; left -= step) {
      // What was written wakes the next plan at once.
      for (let turn = 0; turn < 20 && this.sync() && !this.signal.aborted; turn++) await settle(2);
      if (left <= 0 || this.signal.aborted) return;
      await this.#stage.clock.advance(Math.min(left, step));
    }
  }

  #watched(arm: Arm, moment: Moment = async () => undefined): Arm {
    const told = async <T>(verb: string, { name }: Machine, act: () => Promise<T>): Promise<T> => {
      await moment();
      this.asked.push(`${verb} ${name}`);
      const answer = await act();
      await moment();
      return answer;
    };
    return {
      identitiesOf: (machine) => told('GET', machine, () => arm.identitiesOf(machine)),
      patch: (machine, ...sent) => told('PATCH', machine, () => arm.patch(machine, ...sent)),
    };
  }
}

/** A MIC that ends with the test. */
export function micOn(t: Test, stage: Stage, options?: MicOptions): StageMic {
  const mic = new StageMic(stage, options);
  t.teardown(() => mic.stop());
  return mic;
}
