import { flag } from '../../config/flag.ts';
import { text } from '../../config/types.ts';
import { bindingLabel } from '../../model/binding.ts';
import { usageError } from '../arguments.ts';
import type { Report } from '../report.ts';
import { type Call, verb } from '../verb.ts';
import { appliedReport, dryRunReport } from './applied.ts';
import { dryRun, nameFlag, nameIn, overwriteFlag } from './flags.ts';
import { type PodIdentity, podIdentityManifests } from './manifest.ts';
import { after, type PutResult, put, titleOf } from './store.ts';

const flags = {
  name: nameFlag,
  resourceId: flag({
    flag: 'identity-resource-id',
    type: text,
    default: '',
    help: 'ARM id of the managed identity: az identity show … --query id',
  }),
  clientId: flag({
    flag: 'client-id',
    type: text,
    default: '',
    help: 'its client id, which az looked up by itself: az identity show … --query clientId',
  }),
  selector: flag({
    flag: 'binding-selector',
    type: text,
    default: '',
    help: 'value of the label aadpodidbinding of the pods that get it; the name unless given',
  }),
  overwrite: overwriteFlag,
  dryRun,
};

/** `az aks pod-identity add`, by way of Kubernetes alone. */
export const addVerb = verb({
  name: 'add',
  words: '[NAME]',
  count: [0, 1],
  summary: 'Give a managed identity to the pods with a label: an AzureIdentity and its binding',
  about: `
podid add --namespace my-app --name demo --identity-resource-id $ID --client-id $(az identity show --ids $ID --query clientId -o tsv)
podid add demo -n my-app --identity-resource-id $ID --client-id $CLIENT --dry-run=client -o yaml > demo.yaml

As az aks pod-identity add, and done twice it does no more than once. It asks no Azure, so it has to be told the client id, and what
az did in Azure is yours to do once: give MIC's identity the role Managed Identity Operator on the managed identity.
In managed mode the identity has to be on the machines as well: az vmss identity assign --identities $ID --resource-group … --name …
`,
  flags,
  run: add,
});

async function add({ flags: given, words, cluster, signal }: Call<typeof flags>): Promise<Report> {
  const wanted = podIdentityIn(given, nameIn(given, words), () => cluster.namespace);
  const manifests = podIdentityManifests(wanted);
  if (given.dryRun) return dryRunReport(manifests);
  const results: PutResult[] = [];
  for (const manifest of manifests) {
    const { overwrite } = given;
    const result = await put(cluster.connection, manifest, { overwrite, signal }).catch((error: unknown) => {
      throw after(
        results.map((each) => `${titleOf(each.manifest)} ${each.put}`),
        error,
      );
    });
    results.push(result);
    // A binding would hand out an identity that is not the one that was asked for.
    if (result.put === 'differs') break;
  }
  const { namespace, selector } = wanted;
  return appliedReport(results, [
    `Pods get it by the label ${bindingLabel}: ${selector}. To see whether one does: podid explain pod/NAME -n ${namespace}`,
  ]);
}

function podIdentityIn(
  { resourceId, clientId, selector }: Call<typeof flags>['flags'],
  name: string,
  namespace: () => string,
): PodIdentity {
  if (resourceId === '')
    throw usageError('--identity-resource-id is needed: the ARM id of the managed identity');
  if (clientId === '') {
    const command = `az identity show --ids ${resourceId} --query clientId -o tsv`;
    throw usageError(`--client-id is needed, since podid asks no Azure; this tells it: ${command}`);
  }
  return { namespace: namespace(), name, resourceId, clientId, selector: selector || name };
}
