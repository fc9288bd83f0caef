/** One request to the Kubernetes API in the words of RBAC, and what came of it. */
export interface Use {
  /** `system:serviceaccount:NAMESPACE:NAME`; '' without a token. */
  readonly user: string;
  readonly verb: string;
  /** '' for the core group. */
  readonly group: string;
  /** With the subresource: `pods/status`. */
  readonly resource: string;
  /** '' for what is cluster-wide, or all namespaces. */
  readonly namespace: string;
  /** '' for a collection. */
  readonly name: string;
  readonly status: number;
}

const verbs: Readonly<Record<string, readonly [one: string, all: string]>> = {
  GET: ['get', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

const resourcePath =
  /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** As the API server's authorizer reads a request; undefined for what is no resource (`/readyz`). */
export function useOf(user: string, method: string, target: string, status: number): Use | undefined {
  const [path = '', query = ''] = target.split('?', 2);
  const [, group = '', namespace = '', plural, one = '', sub] = resourcePath.exec(path) ?? [];
  if (!plural) return undefined;
  // `/api/v1/namespaces/NAME` is a namespace, and counts as in it.
  const isNamespace = plural === 'namespaces';
  const parameters = new URLSearchParams(query);
  const name = decodeURIComponent(one);
  const [ofOne, ofAll] = verbs[method] ?? ['', ''];
  const watches = method === 'GET' && /^(true|1)$/.test(parameters.get('watch') ?? '');
  const verb = watches ? 'watch' : name === '' ? ofAll : ofOne;
  const resource = sub === undefined ? plural : `${plural}/${sub}`;
  // A list of one name, by this selector alone, is allowed by a rule for that name.
  const [, chosen = ''] = /^metadata\.name=([^,]+)$/.exec(parameters.get('fieldSelector') ?? '') ?? [];
  const place = isNamespace ? name : namespace;
  return { user, verb, group, resource, namespace: place, name: name || chosen, status };
}

/** Whose token it is, unchecked: the API server does that. */
export function userIn(authorization: string): string {
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString(),
    );
    return String((claims as { sub?: unknown }).sub ?? '');
  } catch {
    return '';
  }
}
