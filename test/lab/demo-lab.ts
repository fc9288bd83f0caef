import type { Agent } from './agent.ts';
import { sampleIdentity } from './imds/token.ts';
import { createLab, type Lab } from './lab.ts';
import { bindingObject, exceptionObject, identityObject } from './objects.ts';

/**
 * A lab for looking around, with an agent that is starting: pod `demo` is bound to identity `demo`, `unbound` to none, and
 * `excepted` is under an AzurePodIdentityException. The VM has identity `other` too, which nobody is bound to.
 */
export async function startDemoLab(id: string): Promise<{ lab: Lab; agent: Agent }> {
  const lab = await createLab({
    id,
    pods: [
      { name: 'demo', labels: { aadpodidbinding: 'demo' } },
      { name: 'unbound' },
      { name: 'excepted', labels: { app: 'excepted' } },
    ],
  });
  try {
    await lab.imds.assign(sampleIdentity('demo'), sampleIdentity('other'));
    await lab.kube.apply(identityObject('demo', 'default', sampleIdentity('demo')));
    await lab.kube.apply(bindingObject('demo', 'default', 'demo', 'demo'));
    await lab.kube.apply(exceptionObject('excepted', 'default', { app: 'excepted' }));
    return { lab, agent: lab.startAgent() };
  } catch (error) {
    lab.down();
    throw error;
  }
}

/** The same, once the agent is ready. */
export async function runDemoLab(id: string): Promise<Lab> {
  const { lab, agent } = await startDemoLab(id);
  try {
    await agent.ready();
    return lab;
  } catch (error) {
    lab.down();
    throw error;
  }
}
