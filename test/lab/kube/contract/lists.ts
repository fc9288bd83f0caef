import { kindNamed, pathOf } from '../kinds.ts';
import type { Json, KubeObject } from '../object.ts';
import { type ContractWorld, identity, type Promises, path, pod, refused } from './promise.ts';

/** Lists, their pages and selectors, and who may ask. */
export const listPromises: Promises = {
  async 'names the type of each custom item and of no built-in one'(t, world) {
    await world.kube.create(identity(world, 'typed'));
    await world.kube.create(pod(world, 'typed'));
    const custom = await page(world, 'AzureIdentity');
    t.match(custom, {
      kind: 'AzureIdentityList',
      apiVersion: 'aadpodidentity.k8s.io/v1',
      metadata: { resourceVersion: /^\d+$/ },
    });
    t.match(custom.items[0], { kind: 'AzureIdentity', apiVersion: 'aadpodidentity.k8s.io/v1' });
    const pods = await page(world, 'Pod');
    t.match(pods, { kind: 'PodList', apiVersion: 'v1' });
    t.equal(pods.items[0]?.kind, undefined);
    t.equal(pods.items[0]?.apiVersion, undefined);
    const everywhere = await world.kube.list('AzureIdentity', undefined, { limit: '1' });
    t.ok(everywhere.some((item) => item.metadata.namespace === world.namespace));
  },

  async 'shows one and the same state on all pages'(t, world) {
    const { kube, namespace } = world;
    const label = { labels: { paged: 'yes' } };
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5'])
      await kube.create(identity(world, name, { metadata: label }));
    const query = { labelSelector: 'paged=yes', limit: '2' };
    const first = await page(world, 'AzureIdentity', query);
    t.strictSame(namesOf(first), ['p1', 'p2']);
    await kube.delete('AzureIdentity', 'p3', { namespace });
    await kube.create(identity(world, 'p6', { metadata: label }));
    await kube.patch('AzureIdentity', 'p4', { spec: { clientID: 'new' } }, { namespace });
    const second = await page(world, 'AzureIdentity', { ...query, continue: continueOf(first) });
    t.strictSame(namesOf(second), ['p3', 'p4']);
    t.match(second.items[1], { spec: { clientID: 'c' } });
    const third = await page(world, 'AzureIdentity', { ...query, continue: continueOf(second) });
    t.strictSame(namesOf(third), ['p5']);
    t.notOk(third.metadata.continue);
    const versions = new Set([first, second, third].map((list) => list.metadata.resourceVersion));
    t.equal(versions.size, 1);
    t.strictSame(namesOf(await page(world, 'AzureIdentity', { labelSelector: 'paged=yes' })), [
      'p1',
      'p2',
      'p4',
      'p5',
      'p6',
    ]);
  },

  async 'tells how many are left where no selector hides it, and ignores the limit at version 0'(t, world) {
    for (const name of ['a', 'b', 'c']) {
      await world.kube.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `left-${name}`, namespace: world.namespace },
      });
    }
    const first = await page(world, 'ConfigMap', { limit: '1' });
    t.ok(Number(first.metadata.remainingItemCount) >= 2);
    const selected = await page(world, 'ConfigMap', { limit: '1', fieldSelector: 'metadata.name!=x' });
    t.ok(selected.metadata.continue);
    t.equal(selected.metadata.remainingItemCount, undefined);
    const whole = await page(world, 'ConfigMap', { limit: '1', resourceVersion: '0' });
    t.ok(whole.items.length >= 3);
    await world.kube.delete('ConfigMap', 'left-c', { namespace: world.namespace });
    const { resourceVersion } = first.metadata;
    const exact = await page(world, 'ConfigMap', { limit: '500', resourceVersion: String(resourceVersion) });
    t.ok(namesOf(exact).includes('left-c'), 'a version with a limit is that very state');
    t.equal(exact.metadata.resourceVersion, first.metadata.resourceVersion);
  },

  async 'selects by labels, by equality and by sets'(t, world) {
    const { kube } = world;
    for (const [name, labels] of Object.entries({
      s1: { a: '1', s: 'y' },
      s2: { a: '2', s: 'y' },
      s3: { s: 'y' },
    })) {
      await kube.create(identity(world, name, { metadata: { labels } }));
    }
    const expected: Record<string, string> = {
      'a=1': 's1',
      'a==2': 's2',
      'a!=1': 's2 s3',
      a: 's1 s2',
      '!a': 's3',
      'a in (1, 2)': 's1 s2',
      'a in (2),s': 's2',
      'a notin (1)': 's2 s3',
      'a=': '',
    };
    for (const [selector, names] of Object.entries(expected)) {
      const list = await page(world, 'AzureIdentity', { labelSelector: `s=y,${selector}` });
      t.equal(namesOf(list).join(' '), names, selector);
    }
    for (const labelSelector of ['a in b', '!!', 'a=b=c', 'a in (1', 'a b']) {
      const answer = await kube.request('GET', pathWith(world, 'AzureIdentity', { labelSelector }));
      refused(t, answer, 400, 'BadRequest', labelSelector);
    }
  },

  async 'selects by the fields that a kind offers and refuses others'(t, world) {
    const { kube, namespace, prefix } = world;
    await kube.create(pod(world, 'f1', { spec: { nodeName: `${prefix}-f` } }));
    await kube.create(pod(world, 'f2', { spec: { nodeName: `${prefix}-g` } }));
    await kube.patch(
      'Pod',
      'f1',
      { status: { phase: 'Running', podIP: '10.9.9.9' } },
      { namespace, subresource: 'status' },
    );
    const expected: Record<string, string> = {
      [`spec.nodeName=${prefix}-f`]: 'f1',
      [`spec.nodeName=${prefix}-f,status.phase=Pending`]: '',
      [`spec.nodeName!=${prefix}-f,metadata.name=f2`]: 'f2',
      [`metadata.name==f1,metadata.namespace=${namespace}`]: 'f1',
      'status.podIP=10.9.9.9': 'f1',
      'status.podIPs=10.9.9.9': '',
    };
    for (const [fieldSelector, names] of Object.entries(expected)) {
      t.equal(namesOf(await page(world, 'Pod', { fieldSelector })).join(' '), names, fieldSelector);
    }
    await kube.create(identity(world, 'f3'));
    t.strictSame(namesOf(await page(world, 'AzureIdentity', { fieldSelector: 'metadata.name=f3' })), ['f3']);
    for (const [kind, fieldSelector] of [
      ['Pod', 'spec.x=1'],
      ['AzureIdentity', 'spec.clientID=c'],
      ['Pod', 'bad'],
    ] as const) {
      const answer = await kube.request('GET', pathWith(world, kind, { fieldSelector }));
      refused(t, answer, 400, 'BadRequest', `${kind} ${fieldSelector}`);
    }
    const unknown = await kube.request('GET', pathWith(world, 'Pod', { fieldSelector: 'spec.x=1' }));
    t.match(unknown.body, { message: 'field label not supported: spec.x' });
  },

  async 'refuses versions and tokens that make no sense'(t, world) {
    const ask = (query: Record<string, string>) =>
      world.kube.request('GET', pathWith(world, 'AzureIdentity', query));
    refused(t, await ask({ limit: 'x' }), 400, 'BadRequest', 'a limit that is no number');
    refused(t, await ask({ continue: 'xx' }), 400, 'BadRequest', 'a continue token of nobody');
    const first = await page(world, 'AzureIdentity', { limit: '1' });
    refused(
      t,
      await ask({ continue: continueOf(first), resourceVersion: '5' }),
      400,
      'BadRequest',
      'both at once',
    );
    refused(t, await ask({ resourceVersion: 'abc' }), 500, '', 'a version that is no number');
    const future = await ask({ resourceVersion: '99999999' });
    refused(t, future, 504, 'Timeout', 'a version of the future');
    t.match(future.body, {
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  },

  async 'lets in whom it knows, and to what they may do'(t, world) {
    const { kube } = world;
    const identities = pathOf(kindNamed('AzureIdentity'));
    const unknown = await kube.request('GET', identities, { token: 'nonsense' });
    refused(t, unknown, 401, 'Unauthorized', 'a token of nobody');
    const nobody = await kube.request('GET', identities, { token: '' });
    refused(t, nobody, 403, 'Forbidden', 'no token');
    t.match(nobody.body, {
      message:
        'azureidentities.aadpodidentity.k8s.io is forbidden: User "system:anonymous" cannot list resource "azureidentities" in API group "aadpodidentity.k8s.io" at the cluster scope',
    });
    const secret = await kube.request('GET', path(world, 'Secret', 's'), { token: '' });
    t.match(secret.body, {
      message: `secrets "s" is forbidden: User "system:anonymous" cannot get resource "secrets" in API group "" in the namespace "${world.namespace}"`,
    });
  },

  async 'knows no other paths and methods'(t, world) {
    const { kube } = world;
    for (const where of [
      '/apis/nogroup/v1/foos',
      '/apis/aadpodidentity.k8s.io/v1/foos',
      '/apis/aadpodidentity.k8s.io/v2/azureidentities',
    ]) {
      t.match(await kube.request('GET', where), { status: 404, body: '404 page not found\n' }, where);
    }
    refused(t, await kube.request('GET', '/api/v1/foos'), 404, 'NotFound', 'an unknown core resource');
    refused(
      t,
      await kube.request('POST', path(world, 'Pod', 'x', 'foo'), { body: {} }),
      404,
      'NotFound',
      'an unknown subresource',
    );
    refused(
      t,
      await kube.request('GET', path(world, 'ConfigMap', 'x', 'status')),
      404,
      'NotFound',
      'no status',
    );
    refused(
      t,
      await kube.request('PUT', '/api/v1/pods', { body: {} }),
      405,
      'MethodNotAllowed',
      'PUT on a collection',
    );
    refused(
      t,
      await kube.request('POST', '/api/v1/pods', { body: {} }),
      405,
      'MethodNotAllowed',
      'POST without a namespace',
    );
    refused(
      t,
      await kube.request('POST', '/api/v1/namespaces/default', { body: {} }),
      405,
      'MethodNotAllowed',
      'POST on an object',
    );
  },
};

interface List {
  readonly metadata: Json;
  readonly items: readonly KubeObject[];
}

const pathWith = (world: ContractWorld, kind: string, query: Record<string, string>): string =>
  `${path(world, kind)}?${new URLSearchParams(query)}`;

async function page(world: ContractWorld, kind: string, query: Record<string, string> = {}): Promise<List> {
  const answer = await world.kube.request('GET', pathWith(world, kind, query));
  if (answer.status !== 200) throw new Error(`list ${kind}: ${JSON.stringify(answer)}`);
  return answer.body as List;
}

const namesOf = (list: List): string[] => list.items.map((item) => item.metadata.name);
const continueOf = (list: List): string => String(list.metadata.continue);
