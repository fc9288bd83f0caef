import t from 'tap';
import { podKey } from '../../lib/model/pod.ts';

t.test('a pod is written namespace/name', async (t) => {
  t.equal(podKey({ namespace: 'apps', name: 'web-0' }), 'apps/web-0');
});
