import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemExec } from '../../lib/platform/exec.ts';
import { heads } from '../wire/heads.ts';
import { asked, type Client, program, ways, withoutAz } from './client.ts';

const patient = { retries: true, repeats: true } as const;
const impatient = { retries: false, repeats: true } as const;

/** Clients that `npm ci` and scripts/setup bring. */
export async function ownClients(): Promise<Client[]> {
  return [...identityClients(), msalNode(), msalPython(), await curl()];
}

function identityClients(): Client[] {
  const version = npmVersion('@azure/identity');
  const command = [...withoutAz, process.execPath, program('azure-identity.ts')];
  const credentials = [
    ...ways.map(({ key, how }) => ({ key, name: `@azure/identity ManagedIdentityCredential, ${how}` })),
    { key: 'default', name: '@azure/identity DefaultAzureCredential' },
  ];
  return credentials.map(({ key, name }) => ({
    ...{ key: `js-${key}`, name, version, ...patient },
    command: (question) => [...command, key, ...asked(key, question)],
  }));
}

function msalNode(): Client {
  return {
    ...{ key: 'msal-node', name: '@azure/msal-node ManagedIdentityApplication', ...patient },
    version: npmVersion('@azure/msal-node'),
    command: ({ resource, clientId }) => [process.execPath, program('msal-node.ts'), resource, clientId],
  };
}

function msalPython(): Client {
  return {
    ...{ key: 'msal-python', name: 'MSAL Python, its captured request replayed', ...impatient },
    version: heads.find(({ client }) => client === 'MSAL Python')?.evidence.split(' ')[0] ?? '',
    command: ({ resource, clientId }) => [
      ...[process.execPath, program('msal-python-head.ts')],
      ...[resource, clientId],
    ],
  };
}

async function curl(): Promise<Client> {
  const { stdout } = await systemExec('curl', ['--version'], { timeoutMs: 10_000 });
  return {
    ...{ key: 'curl', name: 'curl, without api-version', version: stdout.split(' ')[1] ?? '', ...impatient },
    command: ({ resource }) => [program('curl'), resource],
  };
}

function npmVersion(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
