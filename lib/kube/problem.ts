import { isAppError } from '../model/errors.ts';

/** One sentence for an operator: why we are not up to date with `resource`, and whose move it is. */
export function problemOf(
  resource: { readonly name: string; readonly path: string },
  error: unknown,
): string {
  const { name } = resource;
  if (!isAppError(error)) return `${name}: cannot be taken in (a fault of ours)`;
  if (error.code !== 'kube-refused') return `${name}: ${error.message}`;
  switch (error.status) {
    case 401:
      return `${name}: the API server does not accept our credentials`;
    case 403:
      return `${name}: no right to list and watch ${name}`;
    case 404:
      return resource.path.startsWith('/apis/aadpodidentity.k8s.io/')
        ? `${name}: the CRD is not installed`
        : `${name}: the API server does not know ${name}`;
    case 410:
      return `${name}: the API server forgot where we were`;
    case 429:
      return `${name}: the API server is overloaded (429)`;
    default:
      return `${name}: ${error.message}`;
  }
}
