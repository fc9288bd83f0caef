import type { Access } from './access.ts';
import { type Kind, kinds } from './kinds.ts';
import { methodNotAllowed, noSuchPage, noSuchResource } from './status.ts';

const namedVerbs: Readonly<Record<string, string>> = {
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const collectionVerbs: Readonly<Record<string, string>> = {
  GET: 'list',
  POST: 'create',
  DELETE: 'deletecollection',
};

/**
 * Reads method and path as a verb on a resource. `hidden` plurals are answered as resources that are not installed.
 * Throws 404 and 405 as the real server does: plain text where no group (or no CRD) answers, a Status elsewhere.
 */
export function route(method: string, url: URL, hidden: ReadonlySet<string>): Access {
  const [root, ...rest] = url.pathname.split('/').filter(Boolean);
  if (root !== 'api' && root !== 'apis') throw noSuchPage();
  const group = root === 'apis' ? (rest.shift() ?? '') : '';
  const version = rest.shift();
  const ofGroup = kinds.filter((row) => row.group === group && row.version === version);
  if (ofGroup.length === 0) throw noSuchPage();
  const { kind, namespace, name, subresource } = place(ofGroup, rest, hidden);
  if (subresource && !(kind.status && subresource === 'status')) throw noSuchResource();
  const verb = verbOf(method, url, name);
  if (!verb || (verb === 'create' && kind.namespaced && !namespace)) throw methodNotAllowed();
  return {
    verb,
    kind,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(subresource ? { subresource } : {}),
  };
}

interface Place {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `[namespaces/NS/]plural[/name[/subresource]]`; namespaces themselves have the shorter form. */
function place(ofGroup: readonly Kind[], segments: readonly string[], hidden: ReadonlySet<string>): Place {
  const scoped = segments[0] === 'namespaces' && ofGroup.some((row) => row.plural === segments[2]);
  const namespace = scoped ? segments[1] : undefined;
  const [plural = '', name, subresource, ...more] = scoped ? segments.slice(2) : segments;
  const kind = ofGroup.find((row) => row.plural === plural && !hidden.has(plural));
  const fits = kind && more.length === 0 && (scoped ? kind.namespaced : !(kind.namespaced && name));
  if (fits) return { kind, namespace, name, subresource };
  throw ofGroup.some((row) => row.custom) ? noSuchPage() : noSuchResource();
}

function verbOf(method: string, url: URL, name: string | undefined): string | undefined {
  if (name) return namedVerbs[method];
  const watches = method === 'GET' && ['true', '1'].includes(url.searchParams.get('watch') ?? '');
  return watches ? 'watch' : collectionVerbs[method];
}
