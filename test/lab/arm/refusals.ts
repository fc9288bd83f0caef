/** An error as ARM puts it. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const notAuthorized = (vm: string, ids: readonly string[]): Refusal => ({
  status: 403,
  code: 'LinkedAuthorizationFailed',
  message: `The client '11111111-0000-4000-8000-000000000000' with object id '11111111-0000-4000-8000-000000000000' has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '${vm}'; however, it does not have permission to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '${ids.join(',')}' or the linked scope(s) are invalid.`,
});

export const noIdentity = (vm: string, id: string): Refusal => ({
  status: 400,
  code: 'FailedIdentityOperation',
  message: `Identity operation for resource '${vm}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"Resource '${id}' was not found."}}'.'.`,
});

export const notThere = (id: string): Refusal => ({
  status: 400,
  code: 'InvalidIdentityValues',
  message: `Invalid value for the identities '${id}'. The 'UserAssignedIdentities' property keys should only be empty json objects, null or the resource existing property.`,
});

export const noIds: Refusal = {
  status: 400,
  code: 'InvalidParameter',
  message: "The identity ids must not be null or empty for 'UserAssigned' identity type.",
};

export const idsNotWanted = (type: string): Refusal => ({
  status: 400,
  code: 'InvalidParameter',
  message: `ResourceIdentity identityIds should not be provided if the type is "${type}".`,
});

export const tooMany: Refusal = {
  status: 400,
  code: 'InvalidParameter',
  message: 'The number of identity ids exceeds what one request may change.',
};

export const unreadable: Refusal = {
  status: 400,
  code: 'InvalidRequestContent',
  message:
    "The request content was invalid and could not be deserialized: 'Required property 'type' not found in JSON. Path 'identity'.'.",
};

export const busy = (name: string): Refusal => ({
  status: 409,
  code: 'Conflict',
  message: `The request failed due to conflict with a concurrent request on '${name}'. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.`,
});

export const noMachine = (type: string, name: string, group: string): Refusal => ({
  status: 404,
  code: 'ResourceNotFound',
  message: `The Resource 'Microsoft.Compute/${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
});

export const noSubscription = (subscription: string): Refusal => ({
  status: 404,
  code: 'SubscriptionNotFound',
  message: `The subscription '${subscription}' could not be found.`,
});

export const noOperation: Refusal = {
  status: 404,
  code: 'NotFound',
  message: 'The operation was not found.',
};

export const noVersion: Refusal = {
  status: 400,
  code: 'MissingApiVersionParameter',
  message: 'The api-version query parameter (?api-version=) is required for all requests.',
};

export const noToken: Refusal = {
  status: 401,
  code: 'AuthenticationFailed',
  message: "Authentication failed. The 'Authorization' header is missing.",
};

export const badToken: Refusal = {
  status: 401,
  code: 'InvalidAuthenticationTokenAudience',
  message: 'The access token has been obtained for wrong audience or resource, or has expired.',
};

export const limited = (subscription: string, seconds: number): Refusal => ({
  status: 429,
  code: 'SubscriptionRequestsThrottled',
  message: `Number of requests for subscription '${subscription}' exceeded the limit. Please try again after '${seconds}' seconds.`,
  headers: { 'retry-after': String(seconds) },
});

export function bodyOf({ code, message }: Pick<Refusal, 'code' | 'message'>): string {
  return JSON.stringify({ error: { code, message } });
}
