import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemExec } from '../../lib/platform/exec.ts';
import { asked, type Client, program, ways, withoutAz } from './client.ts';

/** Clients that come with packages of Debian. */
export interface Debian {
  readonly name: string;
  /** Those that are needed; `scripts/test --full` installs them. */
  readonly packages: readonly string[];
  /** Of the last package; undefined when one is not installed, or this is no Debian. */
  readonly version: string | undefined;
  /** Makes them ready; what that leaves goes with the test. */
  clients(version: string, t: Test): Promise<Client[]>;
}

export async function debianClients(): Promise<Debian[]> {
  const known: Omit<Debian, 'version'>[] = [
    { name: 'Python azure-identity', packages: ['python3-azure'], clients: pythonClients },
    { name: 'az', packages: ['azure-cli'], clients: async (version) => [az(version)] },
    {
      ...{ name: 'Go adal', clients: goClients },
      packages: ['golang-go', 'golang-github-azure-go-autorest-dev'],
    },
  ];
  return Promise.all(known.map(async (one) => ({ ...one, version: await versionOf(one.packages) })));
}

async function pythonClients(version: string): Promise<Client[]> {
  const python = '/usr/bin/python3';
  const own = 'import azure.identity; print(azure.identity.__version__)';
  const { stdout } = await systemExec(python, ['-c', own], { timeoutMs: 60_000 });
  const credentials = [
    ...ways.map(({ key, how }) => ({ key, name: `Python azure-identity ManagedIdentityCredential, ${how}` })),
    { key: 'default', name: 'Python azure-identity DefaultAzureCredential' },
  ];
  return credentials.map(({ key, name }) => ({
    ...{ key: `python-${key}`, name, version: `${stdout.trim()} (${version})`, retries: true },
    // Up to 1.13 at least it has words of its own for every 400.
    repeats: false,
    command: (question) => [...withoutAz, python, program('azure_identity.py'), key, ...asked(key, question)],
  }));
}

function az(version: string): Client {
  return {
    ...{ key: 'az', name: 'az login --identity, az account get-access-token', version, retries: true },
    // msrestazure below it keeps the status alone.
    repeats: false,
    command: ({ resource, arm }) => [program('az'), resource, arm.origin, arm.caFile],
  };
}

async function goClients(version: string, t: Test): Promise<Client[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pod-identity-adal-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const built = join(folder, 'adal');
  const settings = ['GOPATH=/usr/share/gocode', 'GO111MODULE=off', 'GOTOOLCHAIN=local', 'CGO_ENABLED=0'];
  const build = ['-C', program('adal'), ...settings, 'go', 'build', '-o', built, '.'];
  const { code, stderr } = await systemExec('env', build, { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`go build: ${stderr}`);
  return ways.map(({ key, how }) => ({
    ...{ key: `adal-${key}`, name: `Go adal, ${how}`, version, retries: true, repeats: true },
    command: (question) => [built, key, ...asked(key, question)],
  }));
}

async function versionOf(packages: readonly string[]): Promise<string | undefined> {
  const nowhere = { stdout: '' };
  const versions = await Promise.all(
    packages.map(async (name) => {
      const asked = systemExec('dpkg-query', ['-s', name], { timeoutMs: 10_000 });
      const { stdout } = await asked.catch(() => nowhere);
      return /^Status: \S+ ok installed$/m.test(stdout) ? /^Version: (\S+)$/m.exec(stdout)?.[1] : undefined;
    }),
  );
  return versions.includes(undefined) ? undefined : versions.at(-1);
}
