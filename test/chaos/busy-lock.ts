import { accessSync, chmodSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** iptables as it answers while others hold its lock, for who has `path` as its PATH; for all others as ever. */
export interface BusyLock {
  readonly path: string;
  hold(): void;
  release(): void;
}

const programs = ['nft', 'legacy'].flatMap((backend) => [
  `iptables-${backend}`,
  `iptables-${backend}-restore`,
]);

/** `folder`: an empty place for the wrappers. Throws when one of the programs is not installed. */
export function busyLock(folder: string): BusyLock {
  const { PATH = '' } = process.env;
  const held = join(folder, 'held');
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const program of programs) {
    const busy = "echo 'iptables: Resource temporarily unavailable.' >&2; exit 4";
    const real = find(program, PATH);
    writeFileSync(join(bin, program), `#!/bin/sh\n[ ! -e '${held}' ] || { ${busy}; }\nexec '${real}' "$@"\n`);
    chmodSync(join(bin, program), 0o755);
  }
  return {
    path: `${bin}${delimiter}${PATH}`,
    hold: () => writeFileSync(held, ''),
    release: () => rmSync(held),
  };
}

function find(program: string, path: string): string {
  const file = path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((candidate) => existsSync(candidate));
  if (!file) throw new Error(`${program} is not installed`);
  accessSync(file, constants.X_OK);
  return file;
}
