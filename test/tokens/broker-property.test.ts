import t from 'tap';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import { Broker } from '../../lib/tokens/broker.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock } from '../fakes/clock.ts';
import { anIdentity } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

/** An identity as the sources of service principals read it. */
interface Principal extends AzureIdentity {
  readonly tenant: string;
  readonly secret: string;
}

/** Who could have got this token himself: what it was bought with, and in which of two spellings the client id was. */
function stampOf(type: number, identity: Principal, resource: string): string {
  const { tenant, namespace, secret, clientId } = identity;
  const proof = type === 0 ? 'the machine' : `${tenant} with ${namespace}/${secret}`;
  return JSON.stringify([type, clientId.toLowerCase(), proof, resource]);
}

/** Hands out tokens that say what they were bought with, late, in any order, some failing, some short-lived. */
function sourceOf(type: number, clock: FakeClock, random: () => number): TokenSource {
  return {
    authority: (identity) => (type === 0 ? 'imds' : `https://login.test/${(identity as Principal).tenant}`),
    credential: (identity) => (type === 0 ? '' : `${identity.namespace}/${(identity as Principal).secret}`),
    async fetch(identity, resource) {
      await clock.sleep(5_000 * random());
      if (random() < 0.2) throw new Error('away');
      const now = Math.floor(clock.now() / 1000);
      const expiresOn = now + Math.floor(300 + 8_000 * random());
      const accessToken = stampOf(type, identity as Principal, resource);
      return { accessToken, expiresOn, notBefore: now, tokenType: 'Bearer' };
    },
  };
}

/** From pools so small that nearly everything is shared by somebody. */
function randomPrincipal(random: () => number): Principal {
  return {
    ...anIdentity({
      namespace: pick(['apps', 'shop'], random),
      name: pick(['one', 'two'], random),
      type: pick([0, 1, 2], random),
      clientId: pick(['aa', 'AA', 'bb'], random),
    }),
    tenant: pick(['t1', 't2'], random),
    secret: pick(['s1', 's2'], random),
  };
}

t.test('no token crosses types, authorities, clients, credentials or resources', async (t) => {
  let [served, shared] = [0, 0];
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed);
    const clock = new FakeClock();
    const sources = new Map([0, 1, 2].map((type) => [type, sourceOf(type, clock, random)]));
    const broker = new Broker({
      ...{ clock, sources, random, onFetched: () => undefined, onRenewalFailed: () => undefined },
      onPaid: (payment) => {
        if (payment !== 'fetched') shared += 1;
      },
    });
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 300; i++) {
      const identity = randomPrincipal(random);
      const resource = pick(['https://a', 'https://a/', '["https://a"]'], random);
      const check = ({ accessToken, expiresOn }: Token): void => {
        served += 1;
        if (accessToken !== stampOf(identity.type, identity, resource))
          t.fail(`seed ${seed}: ${JSON.stringify(identity)} got ${accessToken}`);
        if (expiresOn - clock.now() / 1000 < 300) t.fail(`seed ${seed}: it has run out`);
      };
      asked.push(broker.get(identity, resource).then(check, () => undefined));
      if (random() < 0.1)
        await clock.advance(Math.floor(pick([1_000, 60_000, 3_600_000], random) * random()));
    }
    await clock.advance(20_000);
    await Promise.all(asked);
  }
  t.ok(served > 5_000 && shared > 2_000, `${served} served, ${shared} from what was there or under way`);
});
