/**
 * For `loadYaml` of @kubernetes/client-node, which turns dates of the kinds that it knows into Date and needs its 735 models for
 * that: 4 MB of an idle agent (measured). The programs load nothing but kubeconfigs by it, which are none of these kinds.
 */
export const ObjectSerializer = {
  deserialize: (data) => data,
  serialize: (data) => data,
};
