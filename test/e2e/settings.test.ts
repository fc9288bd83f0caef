import t from 'tap';
import { settingsOf } from './settings.ts';

const env = { KUBECONFIG: '/k', E2E_BUILD: 'build', E2E_LOAD: 'load', E2E_ON_FABRIC: 'on-fabric' };

t.test('says in one sentence what is missing', async (t) => {
  for (const name of Object.keys(env)) {
    const told = settingsOf({ ...env, [name]: '' });
    t.type(told, 'string');
    t.match(told, new RegExp(`^${name} is not set: it takes [^\\n]+$`));
  }
});

t.test('takes a program for the nodes or does without', async (t) => {
  t.match(settingsOf(env), { kubeconfig: '/k', build: 'build', load: 'load', onFabric: 'on-fabric' });
  t.match(settingsOf(env), { onNode: undefined });
  t.match(settingsOf({ ...env, E2E_ON_NODE: 'on-node' }), { onNode: 'on-node' });
});
