/** The ARM id of a user-assigned identity in lower case: ARM's ids are equal in any letter case. */
export type ResourceId = string;

/**
 * One name in an ARM id, as a pattern. People write these ids, and they go into ARM's URLs and bodies: nothing that would end
 * the segment or climb out of it. Resource groups may have letters and digits of any script.
 */
export const armName = String.raw`(?!\.+(?:\/|$))[\p{L}\p{N}_().-]{1,128}`;

const pattern = new RegExp(
  `^/subscriptions/${armName}/resourcegroups/${armName}/providers/microsoft\\.managedidentity/userassignedidentities/${armName}$`,
  'u',
);

/** The id as it is compared; undefined for what is not the id of a user-assigned identity. */
export function resourceIdOf(text: string): ResourceId | undefined {
  const id = text.toLowerCase();
  return pattern.test(id) ? id : undefined;
}
