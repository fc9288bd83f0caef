import t from 'tap';
import { loadDemoConfig, pauseOf } from '../../lib/demo/flags.ts';

t.test('the names of every version of the demo mean the same', async (t) => {
  const wanted = { subscriptionId: 's', clientId: 'c', resourceGroup: 'g', resource: 'r' };
  const first = ['--subscriptionid=s', '--clientid=c', '--resourcegroup=g', '--aad-resourcename=r'];
  const later = ['--subscription-id=s', '--identity-client-id=c', '--resource-group=g', '--resource-name=r'];
  for (const args of [first, later]) t.match(loadDemoConfig(args, {}), wanted, args.join(' '));
  t.match(loadDemoConfig(['--subscription-id', 's'], {}), { subscriptionId: 's' }, 'with a blank');
});

t.test("waits as the first demo did, or as long as a successor's --period", async (t) => {
  t.equal(pauseOf(loadDemoConfig([], {})), 20_000);
  t.equal(pauseOf(loadDemoConfig(['--retry-wait-time=5'], {})), 5_000);
  t.equal(pauseOf(loadDemoConfig(['--retry-wait-time=5', '--period=1m40s'], {})), 100_000);
});

t.test("takes klog's flags, and no unknown one, whatever else is asked", async (t) => {
  t.ok(loadDemoConfig(['--logtostderr=true', '--vmodule=x'], {}));
  t.throws(() => loadDemoConfig(['--clientId=c'], {}), {
    code: 'flag-invalid',
    message: /did you mean --clientid/,
  });
  t.ok(loadDemoConfig(['--nonsense', '--help'], {}).help);
});
