import { text } from 'node:stream/consumers';
import t from 'tap';
import type { ContentType, KubeRequest } from '../../lib/kube/connection.ts';
import { json } from './hostile-api.ts';
import { connect } from './rig.ts';

const body = { metadata: { resourceVersion: '7' } };

t.test('changes and deletes with the method, the body and the kind of patch that it is told', async (t) => {
  const { api, connection } = await connect(t);
  const table: [Required<KubeRequest>['method'], ContentType | undefined, string][] = [
    ['PUT', undefined, 'application/json'],
    ['DELETE', undefined, 'application/json'],
    ['PATCH', 'application/merge-patch+json', 'application/merge-patch+json'],
    ['PATCH', 'application/json-patch+json', 'application/json-patch+json'],
  ];
  for (const [method, contentType, expected] of table) {
    const sent: unknown[] = [];
    api.lists.push(async (response, call) => {
      const { headers } = response.req;
      sent.push(response.req.method, headers['content-type'], await text(response.req));
      json(200, { done: method })(response, call);
    });
    const request = { method, body, maxBytes: 1_000, ...(contentType && { contentType }) };
    t.same(await connection.json('/api/v1/things/a', request), { done: method });
    t.same(sent, [method, expected, JSON.stringify(body)]);
  }
});
