import t from 'tap';
import { setup } from './setup.ts';

const first = '-A PREROUTING -j aad-metadata';
const portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const calico = '-m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING';

/** All stands and is kept; what is in front of our jump, and how often it was moved. */
async function standing(t: Parameters<ReturnType<typeof setup>['keep']>[0]) {
  const parts = setup({ backend: 'nft' });
  const { fake, redirect, keep, logged, repaired } = parts;
  fake.put('nft', 'nat', ':KUBE-SERVICES - [0:0]', ':cali-PREROUTING - [0:0]');
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  await keep(t);
  const rules = (): readonly string[] =>
    fake.lines('nft', 'nat').filter((line) => line.startsWith('-A PREROUTING'));
  const moves = (): number => repaired.filter((found) => found === 'aad-metadata jump-behind').length;
  const warnings = () => logged.filter(({ level, msg }) => level === 'warn' && /in front again/.test(msg));
  return { ...parts, rules, moves, warnings };
}

t.test('leaves rules in front that could not take the packet', async (t) => {
  const { fake, clock, rules, moves } = await standing(t);
  fake.put('nft', 'nat', `-I PREROUTING 1 ${calico}`, '-I PREROUTING 1 -p udp -j ACCEPT');
  const before = rules();
  await clock.advance(60_000);
  t.same(rules(), before);
  t.equal(moves(), 0);
});

t.test('moves in front in one step of what could take it, at the next look', async (t) => {
  const { fake, clock, rules } = await standing(t);
  fake.put('nft', 'nat', `-I PREROUTING 1 ${portals}`);
  fake.applied.length = 0;
  await clock.advance(1_700);
  t.same(rules(), [first, `-A PREROUTING ${portals}`]);
  t.equal(fake.applied.length, 1);
});

t.test('gives way ever more to one that puts itself first for ever, and names it once', async (t) => {
  const { fake, clock, rules, moves, warnings, logged } = await standing(t);
  for (let second = 0; second < 600; second++) {
    if (rules()[0] === first) {
      const again = rules().length > 1 ? [`-D PREROUTING ${portals}`] : [];
      fake.put('nft', 'nat', ...again, `-I PREROUTING 1 ${portals}`);
    }
    await clock.advance(1_000);
  }
  t.ok(moves() >= 10 && moves() <= 15, `${moves()} moves in 10 minutes`);
  t.match(warnings(), [{ chain: 'aad-metadata', hook: 'PREROUTING', rivals: [`-A PREROUTING ${portals}`] }]);
  t.equal(warnings().length, 1);
  t.equal(logged.filter(({ level }) => level === 'warn').length, 2, 'with the first move');
});

t.test('a rival that is back before we have looked again is a rival from the first day', async (t) => {
  const { fake, clock, redirect, keep, logged } = setup({ backend: 'nft' });
  fake.put(
    'nft',
    'nat',
    ':KUBE-SERVICES - [0:0]',
    ':aad-metadata - [0:0]',
    first,
    `-I PREROUTING 1 ${portals}`,
  );
  let writes = 0;
  const ahead = (): boolean => fake.lines('nft', 'nat').find((line) => line.startsWith('-A')) === first;
  fake.onCall = () => {
    if (!ahead()) return;
    writes++;
    fake.put('nft', 'nat', `-D PREROUTING ${portals}`, `-I PREROUTING 1 ${portals}`);
  };
  await redirect.redirect(2579);
  await keep(t);
  await clock.advance(60_000);
  t.ok(writes >= 4 && writes <= 6, `${writes} moves in a minute`);
  t.match(redirect.state(), { redirect: 'present', why: undefined });
  t.equal(logged.filter(({ msg }) => /in front again/.test(msg)).length, 1);
});

t.test('what else is wrong is mended while a move waits', async (t) => {
  const { fake, clock, rules } = await standing(t);
  fake.put('nft', 'nat', `-I PREROUTING 1 ${portals}`);
  await clock.advance(1_700);
  fake.put('nft', 'nat', `-I PREROUTING 1 ${portals}`, '-F aad-metadata');
  await clock.advance(1_700);
  t.match(fake.lines('nft', 'nat').join('\n'), /-A aad-metadata .* -j DNAT/);
  t.equal(rules()[0], `-A PREROUTING ${portals}`, 'the move waits');
  fake.put('nft', 'nat', `-D ${first.slice(3)}`);
  await clock.advance(1_700);
  t.equal(rules()[0], first, 'a jump that is gone does not wait');
});

t.test('tells of a thousand rivals with ten', async (t) => {
  const { fake, clock, logged, keep, redirect } = setup({ backend: 'nft' });
  await redirect.redirect(2579);
  await keep(t);
  const many = Array.from(
    { length: 1_000 },
    (_, i) => `-I PREROUTING 1 -s 10.0.${i >> 8}.${i & 255}/32 -j ACCEPT`,
  );
  fake.put('nft', 'nat', ...many);
  await clock.advance(1_700);
  t.match(logged.at(-1), { msg: /repaired/, differences: [{ kind: 'jump-behind' }] });
  t.equal(
    (logged.at(-1) as unknown as { differences: { rivals: string[] }[] }).differences[0]?.rivals.length,
    10,
  );
});
