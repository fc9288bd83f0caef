import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { requireBuiltins, standIn, versionsAlone } from './plugins.ts';

export interface BundleOptions {
  /** The repository. */
  readonly root: string;
  /** bin/NAME.ts becomes NAME.mjs. */
  readonly names: readonly string[];
  readonly version: string;
}

export interface Bundle {
  /** To be written: each program and its source map, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The files of which something is in a program, from `root`. */
  readonly inputs: readonly string[];
}

/** CommonJS packages call it, and an ES module has none. */
const defineRequire =
  "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);";

/** Rejects, after esbuild has said why on stderr, when a program cannot be made. */
export async function bundle({ root, names, version }: BundleOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => join('bin', `${name}.ts`)),
    // Where the source maps start from; wherever the files go, they are the same.
    outdir: join('dist', 'bin'),
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    // When something is thrown, Node prints the line where that was.
    lineLimit: 160,
    banner: { js: defineRequire },
    // Positions alone: the sources are in the repository, at the commit that the version names.
    sourcemap: 'linked',
    sourcesContent: false,
    // They are in the notices, whole.
    legalComments: 'none',
    metafile: true,
    plugins: [requireBuiltins, standIn, versionsAlone(root, version)],
    logLevel: 'warning',
  });
  const parts = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const used = parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  return { files, inputs: used.map(([path]) => path) };
}
