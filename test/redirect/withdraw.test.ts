import t from 'tap';
import { unhook, withdraw } from '../../lib/redirect/withdraw.ts';
import { FakeIptables } from '../fakes/iptables.ts';

function standing(): FakeIptables {
  const fake = new FakeIptables();
  fake.put(
    'nft',
    'nat',
    ':aad-metadata - [0:0]',
    '-A aad-metadata -j RETURN',
    '-A PREROUTING -j aad-metadata',
  );
  fake.put('nft', 'mangle', ':aad-metadata-guard - [0:0]', '-A FORWARD -j aad-metadata-guard');
  fake.put('nft', 'nat', '-A PREROUTING -p tcp -j ACCEPT');
  return fake;
}

t.test('takes out jump, chain and guard in this order, and tells what there was', async (t) => {
  const fake = standing();
  t.same(await withdraw(fake, 'nft'), [
    'nft nat: -A PREROUTING -j aad-metadata',
    'nft nat: -N aad-metadata',
    'nft nat: -A aad-metadata -j RETURN',
    'nft mangle: -A FORWARD -j aad-metadata-guard',
    'nft mangle: -N aad-metadata-guard',
  ]);
  t.same(
    fake.applied.map(({ text }) => text.split('\n')[0]),
    ['*nat', '*mangle'],
  );
  t.match(fake.lines('nft', 'nat').at(-1), '-A PREROUTING -p tcp -j ACCEPT');
});

t.test('can be called any number of times', async (t) => {
  const fake = standing();
  await withdraw(fake, 'nft');
  t.same(await withdraw(fake, 'nft'), []);
  t.equal(fake.applied.length, 2);
});

t.test('removes jumps from places that we never use, which would hold the chain', async (t) => {
  const fake = standing();
  fake.put('nft', 'nat', ':theirs - [0:0]', '-A theirs -p tcp -g aad-metadata', '-A OUTPUT -j aad-metadata');
  await withdraw(fake, 'nft');
  t.notMatch(fake.lines('nft', 'nat').join('\n'), /aad-metadata/);
  t.match(fake.lines('nft', 'nat').join('\n'), /-N theirs/);
});

t.test('does not create legacy tables by looking', async (t) => {
  const fake = new FakeIptables();
  t.same(await withdraw(fake, 'legacy'), []);
  t.equal(await fake.readFile('/proc/net/ip_tables_names'), '');
});

t.test('has nothing to do in a backend that is not installed', async (t) => {
  const fake = standing();
  fake.trouble.nft = 'not-installed';
  t.same(await withdraw(fake, 'nft'), []);
});

t.test('says whether trying again may help when it could not look', async (t) => {
  const fake = standing();
  fake.trouble.nft = 'lock-busy';
  await t.rejects(withdraw(fake, 'nft'), { code: 'iptables-failed', message: /^nft: .*lock/ });
  fake.trouble.nft = 'not-root';
  await t.rejects(withdraw(fake, 'nft'), { code: 'iptables-unusable', message: /must be root/ });
});

const spareAll = async (): Promise<boolean> => true;

t.test('leaves all of it, the guard too, when the chain is one to be spared', async (t) => {
  const fake = standing();
  for (const step of [unhook, withdraw]) t.same(await step(fake, 'nft', spareAll), []);
  t.same(fake.applied, []);
});

t.test('never takes the guard out behind a chain that stayed', async (t) => {
  const fake = standing();
  fake.onCall = (_, args) => {
    if (args.includes('--noflush')) fake.trouble.nft = 'lock-busy';
  };
  await t.rejects(withdraw(fake, 'nft'), { code: 'iptables-failed', message: /^nft: .*lock/ });
  t.match(fake.lines('nft', 'mangle').join(), /-N aad-metadata-guard/);
});

t.test('looks once more when the rules changed between look and removal', async (t) => {
  const fake = standing();
  fake.onCall = (_, args) => {
    if (!args.includes('--noflush')) return;
    fake.onCall = () => undefined;
    fake.put('nft', 'nat', '-D PREROUTING -j aad-metadata');
  };
  t.same(await withdraw(fake, 'nft'), [
    'nft nat: -N aad-metadata',
    'nft nat: -A aad-metadata -j RETURN',
    'nft mangle: -A FORWARD -j aad-metadata-guard',
    'nft mangle: -N aad-metadata-guard',
  ]);
});
