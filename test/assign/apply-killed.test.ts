import t from 'tap';
import { type MicOptions, Stage, StageMic } from './apply-rig.ts';

/**
 * MIC is killed at each moment of its work in turn, before a request is made and before its answer is heard, and another takes
 * over. What the first has done it has done; the second knows only what stands in the API and in Azure.
 */

/** Ends MIC at its `last`th moment: from then on it makes no request and hears no answer. */
class Killer {
  readonly #last: number;
  moments = 0;
  kill: () => void = () => undefined;

  constructor(last: number) {
    this.#last = last;
  }

  get struck(): boolean {
    return this.moments >= this.#last;
  }

  readonly moment: NonNullable<MicOptions['moment']> = async () => {
    this.moments += 1;
    if (!this.struck) return;
    this.kill();
    await new Promise<never>(() => undefined);
  };
}

/** Two scale sets: pods that come, one that goes, one whose identity is on its scale set already, and one that moves. */
async function batch(): Promise<Stage> {
  const stage = new Stage();
  const [a, b] = [await stage.scaleSet('a'), await stage.scaleSet('b')];
  stage.bind('one', 'two', 'three', 'gone');
  stage.pod('gone', a);
  stage.pod('one', a);
  const first = new StageMic(stage);
  await first.run(0);
  first.stop();
  stage.endPod('gone');
  stage.pod('again', a, 'one');
  stage.pod('two', a);
  stage.pod('three', b);
  stage.endPod('one');
  stage.pod('one', b);
  stage.arm.patches.length = 0;
  return stage;
}

/** `+NAME` or `-NAME` of every change of every PATCH. */
function changes(stage: Stage): string[] {
  return stage.arm.patches.flatMap(({ machine, patch }) =>
    Object.entries(patch.identity.userAssignedIdentities ?? {}).map(
      ([id, value]) => `${machine.at(-1)} ${value === null ? '-' : '+'}${id.slice(id.lastIndexOf('/') + 1)}`,
    ),
  );
}

/** Kills the first MIC at that moment, if it comes to it, and lets another finish. */
async function killedAt(last: number): Promise<{ stage: Stage; struck: boolean }> {
  const stage = await batch();
  const killer = new Killer(last);
  const first = new StageMic(stage, { moment: killer.moment });
  killer.kill = () => first.stop();
  await first.run(5_000);
  first.stop();
  const second = new StageMic(stage);
  await second.run(60_000);
  second.stop();
  return { stage, struck: killer.struck };
}

t.test('killed at any moment, nothing is lost, and nothing done twice in Azure', async (t) => {
  let last = 1;
  for (; ; last++) {
    const { stage, struck } = await killedAt(last);
    t.same(stage.states(), { Assigned: 4 }, `moment ${last}`);
    t.same(
      [stage.on('a'), stage.on('b')],
      [
        ['one', 'two'],
        ['one', 'three'],
      ],
      `moment ${last}`,
    );
    t.same(changes(stage).sort(), ['a +two', 'a -gone', 'b +one', 'b +three'], `moment ${last}`);
    if (!struck) break;
  }
  t.ok(last > 25, `${last} moments`);
});
