import type { WatchEvent } from '../client.ts';
import { kindNamed, pathOf } from '../kinds.ts';
import type { KubeObject } from '../object.ts';
import { type ContractWorld, identity, type Promises, path, pod, refused, versionOf } from './promise.ts';

/** Watches: what is sent, from which version on, and how they end. */
export const watchPromises: Promises = {
  async 'begins with all that is there when no version is given'(t, world) {
    await world.kube.create(identity(world, 'there', { metadata: { labels: { w: 'begin' } } }));
    for (const query of [{}, { resourceVersion: '0' }]) {
      const events = watch(world, 'AzureIdentity', { labelSelector: 'w=begin', ...query });
      const first = await next(events);
      t.match(first, { type: 'ADDED', object: { kind: 'AzureIdentity', metadata: { name: 'there' } } });
      await events.return(undefined);
    }
  },

  async 'tells every change after a version, in order and with growing versions'(t, world) {
    const { kube, namespace } = world;
    const events = watch(world, 'AzureIdentity', {
      resourceVersion: await now(world),
      fieldSelector: 'metadata.name=told',
    });
    await kube.create(identity(world, 'told'));
    const changed = await kube.patch('AzureIdentity', 'told', { spec: { clientID: 'd' } }, { namespace });
    await kube.update(changed);
    await kube.delete('AzureIdentity', 'told', { namespace });
    const told = [await next(events), await next(events), await next(events)];
    await events.return(undefined);
    t.strictSame(
      told.map((event) => event.type),
      ['ADDED', 'MODIFIED', 'DELETED'],
      'and nothing for a change that is none',
    );
    const versions = told.map(({ object }) => versionOf(object));
    t.strictSame(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    );
    t.match(told[2]?.object.spec, { clientID: 'd' }, 'the last state goes with the end');
  },

  async 'shows an object that comes under a label as added, one that leaves it as deleted'(t, world) {
    const { kube, namespace } = world;
    const label = (value: string) =>
      kube.patch('AzureIdentity', 'moving', { metadata: { labels: { w: value } } }, { namespace });
    await kube.create(identity(world, 'moving', { metadata: { labels: { w: 'out' } } }));
    const events = watch(world, 'AzureIdentity', {
      resourceVersion: await now(world),
      labelSelector: 'w=in',
    });
    await label('in');
    const left = await label('out');
    await label('in');
    const told = [await next(events), await next(events), await next(events)];
    await events.return(undefined);
    t.strictSame(
      told.map((event) => event.type),
      ['ADDED', 'DELETED', 'ADDED'],
    );
    t.match(told[1]?.object.metadata, {
      labels: { w: 'in' },
      resourceVersion: left.metadata.resourceVersion ?? '',
    });
  },

  async 'follows pods by node and by phase'(t, world) {
    const { kube, namespace, prefix } = world;
    const fieldSelector = `spec.nodeName=${prefix}-w,status.phase=Running`;
    const events = watch(world, 'Pod', { resourceVersion: await now(world), fieldSelector }, undefined);
    const phase = (name: string, value: string) =>
      kube.patch('Pod', name, { status: { phase: value } }, { namespace, subresource: 'status' });
    await kube.create(pod(world, 'elsewhere', { spec: { nodeName: `${prefix}-x` } }));
    await phase('elsewhere', 'Running');
    await kube.create(pod(world, 'here', { spec: { nodeName: `${prefix}-w` } }));
    await phase('here', 'Running');
    await phase('here', 'Succeeded');
    const told = [await next(events), await next(events)];
    await events.return(undefined);
    const seen = told.map(
      (event) => `${event.type} ${event.object.metadata.name} ${event.object.status?.phase}`,
    );
    t.strictSame(seen, ['ADDED here Running', 'DELETED here Running']);
    t.match(told[0]?.object, { kind: 'Pod', apiVersion: 'v1' });
  },

  async 'tells of a pod on its way out before it is gone, with and without grace'(t, world) {
    const { kube, namespace, prefix } = world;
    const events = watch(world, 'Pod', {
      resourceVersion: await now(world),
      fieldSelector: 'metadata.name=leaving',
    });
    await kube.create(pod(world, 'leaving', { spec: { nodeName: `${prefix}-n` } }));
    await kube.delete('Pod', 'leaving', { namespace });
    await kube.delete('Pod', 'leaving', { namespace, gracePeriodSeconds: 0 });
    const told: WatchEvent[] = [];
    while (told.at(-1)?.type !== 'DELETED') told.push(await next(events));
    await events.return(undefined);
    const seen = told.map(
      ({ type, object }) => `${type} ${object.metadata.deletionGracePeriodSeconds ?? '-'}`,
    );
    t.strictSame(seen, ['ADDED -', 'MODIFIED 30', 'MODIFIED 0', 'DELETED 0']);
  },

  async 'tells of an object that a finalizer holds before it is gone'(t, world) {
    const { kube, namespace } = world;
    const events = watch(world, 'AzureIdentity', {
      resourceVersion: await now(world),
      fieldSelector: 'metadata.name=holding',
    });
    await kube.create(identity(world, 'holding', { metadata: { finalizers: ['example.com/hold'] } }));
    await kube.delete('AzureIdentity', 'holding', { namespace });
    await kube.patch('AzureIdentity', 'holding', { metadata: { finalizers: null } }, { namespace });
    const told = [await next(events), await next(events), await next(events)];
    await events.return(undefined);
    t.strictSame(
      told.map((event) => event.type),
      ['ADDED', 'MODIFIED', 'DELETED'],
    );
    t.match(told[1]?.object.metadata, { deletionTimestamp: String });
  },

  async 'answers a version that is too old with 200 and an ERROR of 410, and ends'(t, world) {
    const told = await all(watch(world, 'AzureIdentity', { resourceVersion: '1', timeoutSeconds: '5' }));
    t.match(told, [
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          code: 410,
          reason: 'Expired',
          message: /^too old resource version: 1 \(\d+\)$/,
        },
      },
    ]);
    t.equal(told.length, 1);
  },

  async 'is silent about a version of the future, and ends in time'(t, world) {
    const told = await all(
      watch(world, 'AzureIdentity', { resourceVersion: '99999999', timeoutSeconds: '1' }),
    );
    t.strictSame(told, []);
  },

  async 'sends bookmarks to whoever asks for them, and only while something happens'(t, world) {
    const { kube } = world;
    const from = await now(world);
    await kube.create(identity(world, 'marked'));
    const query = { resourceVersion: from, fieldSelector: 'metadata.name=marked', timeoutSeconds: '5' };
    const asked = watch(world, 'AzureIdentity', { ...query, allowWatchBookmarks: 'true' });
    const over = new AbortController();
    const others = Promise.all([
      all(kube.watch('AzureIdentity', world.namespace, query, over.signal)),
      all(
        kube.watch(
          'AzurePodIdentityException',
          world.namespace,
          { allowWatchBookmarks: 'true' },
          over.signal,
        ),
      ),
    ]);
    t.match(await next(asked), { type: 'ADDED' });
    const unseen = await kube.create(identity(world, 'unmarked'));
    const mark = await next(asked);
    await asked.return(undefined);
    over.abort();
    t.match(mark, { type: 'BOOKMARK', object: { kind: 'AzureIdentity' } });
    t.equal(
      mark.object.metadata.resourceVersion,
      unseen.metadata.resourceVersion,
      'counts what is not selected',
    );
    const [unasked, quiet] = await others;
    t.strictSame(
      unasked.map((event) => event.type),
      ['ADDED'],
      'nothing for whoever did not ask',
    );
    t.strictSame(quiet, [], 'nothing where nothing changed since the watch began');
  },

  async 'refuses selectors and versions before it begins'(t, world) {
    const ask = (query: Record<string, string>) =>
      world.kube.request('GET', `${path(world, 'Pod')}?${new URLSearchParams({ watch: 'true', ...query })}`);
    refused(t, await ask({ fieldSelector: 'spec.x=1' }), 400, 'BadRequest', 'an unknown field');
    refused(t, await ask({ labelSelector: '!!' }), 400, 'BadRequest', 'no selector');
    refused(t, await ask({ resourceVersion: 'abc' }), 500, '', 'no version');
    const nobody = await world.kube.request('GET', `${pathOf(kindNamed('Pod'))}?watch=true`, { token: '' });
    refused(t, nobody, 403, 'Forbidden', 'nobody');
    t.match(nobody.body, { message: /cannot watch resource "pods"/ });
  },
};

type Events = AsyncGenerator<WatchEvent>;

const watch = (
  world: ContractWorld,
  kind: string,
  query: Record<string, string>,
  namespace?: string,
): Events => world.kube.watch(kind, namespace ?? world.namespace, { timeoutSeconds: '20', ...query });

async function next(events: Events): Promise<WatchEvent> {
  const { value, done } = await events.next();
  if (done) throw new Error('the watch ended before the event came');
  return value as WatchEvent;
}

async function all(events: Events): Promise<WatchEvent[]> {
  const told: WatchEvent[] = [];
  for await (const event of events) told.push(event);
  return told;
}

/** The version of the newest state. */
async function now({ kube, namespace }: ContractWorld): Promise<string> {
  const list = await kube.request('GET', `${pathOf(kindNamed('AzureIdentity'), namespace)}?limit=1`);
  return String((list.body as KubeObject).metadata.resourceVersion);
}
