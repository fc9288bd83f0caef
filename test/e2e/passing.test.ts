import t from 'tap';
import { passedBy } from './passing.ts';

const from = (userAgent: string) => ({
  ...{ userAgent, method: 'GET', target: '/metadata/identity/oauth2/token', remoteAddress: '10.99.0.11' },
});

t.test('lets through what the agent, MIC, and pods that pass as the node ask for', async (t) => {
  const agents = ['pod-identity/NMI/0.1.0', 'pod-identity/MIC/0.1.0', 'e2e-as-node/host'];
  t.same(passedBy(agents.map(from)), []);
});

t.test('names a pod that passed by, and what has no name', async (t) => {
  t.same(passedBy([from('e2e-pod/cart'), from('pod-identity/NMI/0.1.0')]), [
    'e2e-pod/cart passed by from 10.99.0.11: GET /metadata/identity/oauth2/token',
  ]);
  for (const userAgent of ['', 'curl/8', 'x pod-identity/NMI/0.1.0', 'pod-identity/other/1'])
    t.equal(passedBy([from(userAgent)]).length, 1, userAgent);
});

t.test(
  'lets through a document of the machine that the agent reads for all, and none that a pod reads itself',
  async (t) => {
    const target = '/metadata/instance?api-version=2017-08-01';
    t.same(passedBy([{ ...from(''), target }]), []);
    t.equal(passedBy([{ ...from('pod-identity/demo/0.1.0'), target }]).length, 1);
  },
);
