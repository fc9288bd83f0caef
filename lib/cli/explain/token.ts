import type { Connection } from '../../kube/connection.ts';
import { readSecret } from '../../kube/secret.ts';
import { AppError, isAppError } from '../../model/errors.ts';
import { type AzureIdentity, identityTypes } from '../../model/identity.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { ServicePrincipalSource } from '../../tokens/service-principal.ts';
import type { AgentSettings } from '../agents/settings.ts';
import { quoted } from '../shell.ts';
import { type Step, step } from './step.ts';

/**
 * What the agent would ask for this identity. For a service principal its own code goes as far as Entra ID's door: the rules of
 * its flags, the Secret, the credential in it; there it turns back, and no token is asked for.
 */
export async function tokenStep(
  identity: AzureIdentity,
  resource: string,
  { connection, settings }: { readonly connection: Connection; readonly settings: AgentSettings },
): Promise<Step> {
  const who = `client id ${clean(identity.clientId)}`;
  if (identity.type === identityTypes.managedIdentity) {
    return step(
      'token',
      'ok',
      `IMDS would be asked for ${clean(resource)} as ${who}; podid asks for no token.`,
    );
  }
  const types: readonly number[] = Object.values(identityTypes);
  if (!types.includes(identity.type)) {
    const found = `spec.type of AzureIdentity ${podKey(identity)} is none that gives tokens: 0 is a managed identity, 1 a service principal with a secret, 2 with a certificate.`;
    return step('token', 'no', found, [
      `kubectl edit azureidentity ${identity.name} -n ${identity.namespace}`,
    ]);
  }
  return servicePrincipalStep(identity, resource, { connection, settings });
}

/** Thrown in place of what only Entra ID could tell. */
class AtTheDoor extends Error {}
/** Thrown where our rights or the API server stand between us and the Secret; the agent's may differ. */
class Unread extends Error {}

async function servicePrincipalStep(
  identity: AzureIdentity,
  resource: string,
  { connection, settings }: { readonly connection: Connection; readonly settings: AgentSettings },
): Promise<Step> {
  const source = new ServicePrincipalSource({
    clock: connection.clock,
    readSecret: async (name, signal) => {
      const answer = await readSecret(connection, name, signal);
      if (answer.kind === 'refused') throw new Unread(`podid has no right to get it (${answer.status})`);
      if (answer.kind === 'silent') throw new Unread(answer.why);
      return answer;
    },
    acquire: async ({ host, tenant, clientId }) => {
      throw new AtTheDoor(
        `${host} would be asked for ${clean(resource)} as client id ${clean(clientId)} of tenant ${tenant}`,
      );
    },
    allowedHosts: settings.allowedAdEndpoints ?? [],
    crossNamespaceSecrets: settings.allowCrossNamespaceSecrets,
  });
  try {
    await source.fetch(identity, resource);
    throw new AppError('entra-garbled', 'nobody was asked');
  } catch (error) {
    return outcome(identity, error);
  }
}

function outcome(identity: AzureIdentity, error: unknown): Step {
  const { namespace = '', name = '' } = identity.servicePrincipal?.secret ?? {};
  const secret = `${clean(namespace)}/${clean(name)}`;
  if (error instanceof AtTheDoor) {
    return step(
      'token',
      'ok',
      `Secret ${secret} holds a credential; with it, ${error.message}; podid asks for no token.`,
    );
  }
  if (error instanceof Unread) {
    const mend = [`kubectl auth can-i get secrets -n ${quoted(namespace)}`];
    return step('token', 'unknown', `Secret ${secret} could not be read: ${error.message}.`, mend);
  }
  if (!isAppError(error)) throw error;
  const found = `${error.message.replace(/,$/, '')}.`;
  if (error.code !== 'credential-missing') {
    return step('token', 'no', found, [
      `kubectl edit azureidentity ${identity.name} -n ${identity.namespace}`,
    ]);
  }
  const content =
    identity.type === identityTypes.servicePrincipalSecret
      ? '--from-literal=clientSecret=CLIENT_SECRET'
      : '--from-file=certificate=FILE.pfx --from-literal=password=PASSWORD';
  // It is answered 404, which clients take for "not yet".
  return step('token', 'wait', found, [
    `kubectl create secret generic ${quoted(name)} -n ${quoted(namespace)} ${content}`,
  ]);
}
