import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Node's own modules are loaded by `require`: to import node:http, Node reads everything that it exports, and that loads its
 * own fetch, WebSocket and HTTP/2 (2 MB, measured).
 */
export const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return null;
      return kind === 'require-call' ? { path, external: true } : { path, namespace: 'builtin' };
    });
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const standIns = import.meta.dirname;

/** Leaves out what the programs never reach of two packages; why stands in the files that stand in. */
export const standIn: Plugin = {
  name: 'stand-in',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: join(standIns, 'undici.js') }));
    onResolve({ filter: /^\.\/serializer\.js$/ }, ({ importer }) =>
      /client-node\/dist\/[^/]+$/.test(importer) ? { path: join(standIns, 'serializer.js') } : null,
    );
    // Its modules do nothing when they are loaded, which its package.json fails to say; but for `./polyfill.js`, for browsers.
    onResolve({ filter: /^(@kubernetes\/client-node$|\.)/ }, async ({ path, pluginData, ...from }) => {
      const isOf = path.startsWith('@') || /@kubernetes\/client-node\/dist\//.test(from.importer);
      if (pluginData === standIn || !isOf) return null;
      return { ...(await resolve(path, { ...from, pluginData: standIn })), sideEffects: false };
    });
  },
};

/** Of a package.json, a program knows the version alone: the rest of it would only tell how the package is made. */
export function versionsAlone(root: string, ours: string): Plugin {
  return {
    name: 'versions-alone',
    setup({ onLoad }) {
      onLoad({ filter: /\/package\.json$/ }, ({ path }) => {
        const version = path === join(root, 'package.json') ? ours : versionIn(path);
        return { contents: JSON.stringify({ version }), loader: 'json' };
      });
    },
  };
}

export function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
