import t from 'tap';
import type { Difference } from '../../lib/redirect/compare.ts';
import { Rivalry } from '../../lib/redirect/rivalry.ts';
import { FakeClock } from '../fakes/clock.ts';

const behind = { kind: 'jump-behind', hook: 'PREROUTING', rivals: ['-A PREROUTING -j THEIRS'] } as const;
const missing: Difference = { kind: 'jump-missing', hook: 'PREROUTING' };

/** A rival that is in front again at once, and a keeper that looks every second. */
function quarrel(): {
  readonly clock: FakeClock;
  readonly rivalry: Rivalry;
  rage(s: number): Promise<string[]>;
} {
  const clock = new FakeClock();
  const rivalry = new Rivalry(clock);
  const rage = async (seconds: number): Promise<string[]> => {
    const moves: string[] = [];
    for (let second = 0; second < seconds; second++) {
      if (rivalry.due('aad-metadata', [behind]).length > 0)
        moves.push(`${clock.monotonic() / 1_000} ${rivalry.moved('aad-metadata', behind)}`);
      await clock.advance(1_000);
    }
    return moves;
  };
  return { clock, rivalry, rage };
}

t.test(
  'moves at once the first time, then ever more rarely, to once a minute; and tells it once',
  async (t) => {
    const { rage } = quarrel();
    t.same(await rage(250), [
      '0 first',
      '2 again',
      '6 still',
      '14 still',
      '30 still',
      '62 still',
      '122 still',
      '182 still',
      '242 still',
    ]);
  },
);

t.test('begins anew with a rival that kept still for five minutes after its turn', async (t) => {
  const { clock, rage } = quarrel();
  await rage(7);
  await clock.advance(9 * 60_000);
  t.equal((await rage(3)).map((move) => move.split(' ')[1]).join(), 'first,again');
});

t.test('does not forget a rival that only waited a while', async (t) => {
  const { clock, rage } = quarrel();
  await rage(7);
  await clock.advance(4 * 60_000);
  t.equal((await rage(1)).map((move) => move.split(' ')[1]).join(), 'still');
});

t.test('holds up nothing but a move', async (t) => {
  const { rivalry } = quarrel();
  rivalry.moved('aad-metadata', behind);
  t.same(rivalry.due('aad-metadata', [missing, behind, { kind: 'chain-missing' }]), [
    missing,
    { kind: 'chain-missing' },
  ]);
});

t.test('each jump has its own quarrel', async (t) => {
  const { rivalry } = quarrel();
  rivalry.moved('aad-metadata', behind);
  const elsewhere = { ...behind, hook: 'FORWARD' };
  t.same(rivalry.due('aad-metadata', [elsewhere]), [elsewhere]);
  t.same(rivalry.due('aad-metadata-guard', [behind]), [behind]);
  t.same(rivalry.due('aad-metadata', [behind]), []);
});
