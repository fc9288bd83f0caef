import t from 'tap';
import { type Head, heads } from './heads.ts';

const of = (kind: Head['kind']): readonly Head[] => heads.filter((head) => head.kind === kind);

/** Every client known to ask for tokens, and the parameters in which it names an identity. */
const asking: Readonly<Record<string, string>> = {
  '@azure/identity': 'client_id msi_res_id object_id',
  '@azure/identity before MSAL': 'client_id msi_res_id',
  'Go azidentity': 'client_id msi_res_id object_id',
  'Go azidentity before MSAL': 'client_id msi_res_id',
  'Java itself': '',
  'MSAL .NET': 'client_id msi_res_id object_id',
  'MSAL Go': 'client_id msi_res_id object_id',
  'MSAL JS': 'client_id mi_res_id msi_res_id object_id',
  'MSAL Java': 'client_id mi_res_id object_id',
  'MSAL Python': 'client_id msi_res_id object_id',
  'Python azure-identity': 'client_id msi_res_id object_id',
  'Python azure-identity before MSAL': 'client_id mi_res_id object_id',
  Wget: '',
  adal: 'client_id mi_res_id',
  'azure-identity Java': 'client_id mi_res_id object_id',
  'azure-identity Java before MSAL': 'client_id mi_res_id',
  azcopy: 'client_id',
  curl: 'client_id',
  msrestazure: 'client_id msi_res_id object_id',
  terraform: 'client_id',
};
/** Every client known to probe with a request, and the statuses by which it goes on. */
const probing: Readonly<Record<string, string>> = {
  '@azure/identity': '400',
  '@azure/identity before MSAL': '400',
  'AppAuthentication .NET': '400',
  'Azure.Identity .NET': '400',
  'Go azidentity': '400',
  'MSAL .NET': '400 404',
  'Python azure-identity': '400',
  'Python azure-identity before MSAL': '400',
  adal: '400',
  'azure-identity Java': '400',
  curl: '400',
};
/** Clients that could not be run where the others were captured. */
const uncaptured = ['AppAuthentication .NET', 'Azure.Identity .NET', 'MSAL .NET', 'azcopy'];

t.test('there is a head of every client, captured but where it could not be', async (t) => {
  const idOf = ({ target }: Head): string => /(?<=[?&])(client|ms?i_res|object)_id/.exec(target)?.[0] ?? '';
  t.same(gathered(of('token'), idOf), asking);
  t.same(
    gathered(of('probe'), ({ status }) => String(status)),
    probing,
  );
  const documented = heads.filter(({ captured }) => !captured).map(({ client }) => client);
  t.same([...new Set(documented)].sort(), uncaptured);
});

/** What `mark` says of each client's heads: each word once, in letter order. */
function gathered(some: readonly Head[], mark: (head: Head) => string): Record<string, string> {
  const words = (client: string): string[] => some.filter((head) => head.client === client).map(mark);
  const marks = (client: string): string => [...new Set(words(client))].sort().join(' ').trim();
  return Object.fromEntries(some.map(({ client }) => [client, marks(client)]));
}
