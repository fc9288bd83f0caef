import { parsing, type Raw, record, text, texts } from './fields.ts';

/** An object of which a copy is written into AzureAssignedIdentities. */
export interface Embeddable {
  readonly uid: string;
  readonly resourceVersion: string;
  /** The object as the API has it, as JSON, without its managedFields. The original's MIC compares the copy's resourceVersion. */
  readonly json: string;
}

/** Every assignment of a pod carries both copies, and etcd holds all of them. */
const mostCharacters = 16 * 1024;
const behavior = 'aadpodidentity.k8s.io/Behavior';

/**
 * Undefined for what cannot be copied: an object whose spec alone has over 16 kB. Metadata that makes it larger than that is left
 * out, but for what names the object and for what MIC or NMI reads.
 */
export function embeddable(
  kind: 'AzureIdentity' | 'AzureIdentityBinding',
  raw: unknown,
): Embeddable | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    const typed = { apiVersion: 'aadpodidentity.k8s.io/v1', kind };
    const { spec = {}, status } = object;
    const content = { spec, ...(status !== undefined && { status }) };
    const { managedFields: _bookkeeping, ...kept } = metadata;
    const whole = JSON.stringify({ ...typed, metadata: kept, ...content });
    const json =
      whole.length <= mostCharacters
        ? whole
        : JSON.stringify({ ...typed, metadata: bare(metadata), ...content });
    const [uid, resourceVersion] = [text(metadata, 'uid'), text(metadata, 'resourceVersion')];
    if (json.length > mostCharacters || resourceVersion === '') return undefined;
    return { uid, resourceVersion, json };
  });
}

function bare(metadata: Raw): Raw {
  const named = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp'];
  const fields = named.flatMap((field) => (field in metadata ? [[field, metadata[field]]] : []));
  const value = texts(metadata, 'annotations')[behavior];
  return {
    ...Object.fromEntries(fields),
    ...(value !== undefined && { annotations: { [behavior]: value } }),
  };
}
