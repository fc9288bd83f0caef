/** The documents of IMDS that are not tokens: plausible, short, always the same. */
export const instance = {
  compute: {
    azEnvironment: 'AzurePublicCloud',
    location: 'westeurope',
    name: 'node1',
    osType: 'Linux',
    provider: 'Microsoft.Compute',
    resourceGroupName: 'lab',
    sku: '22_04-lts-gen2',
    vmId: '3f1b6d53-8e0c-4c8e-9f57-2e3a7c1d4b10',
    vmSize: 'Standard_D2s_v5',
    zone: '1',
  },
  network: {
    interface: [
      {
        ipv4: {
          ipAddress: [{ privateIpAddress: '10.98.0.11', publicIpAddress: '' }],
          subnet: [{ address: '10.98.0.0', prefix: '24' }],
        },
        ipv6: { ipAddress: [] },
        macAddress: '000D3A000001',
      },
    ],
  },
} as const;

export const scheduledEvents = { DocumentIncarnation: 1, Events: [] } as const;

export const loadBalancer = {
  loadbalancer: { publicIpAddresses: [], inboundRules: [], outboundRules: [] },
} as const;

export const attested = {
  encoding: 'pkcs7',
  signature: 'MIIEEgYJKoZIhvcNAQcCoIIEAzCCA/8CAQExDzANBgkqhkiG9w0BAQsFADAA',
} as const;

/** What only the host itself may have: the tests count that no pod ever reaches these. */
export const platformMetadata = {
  clientId: '00000000-0000-4000-a000-000000000001',
  tenantId: '00000000-0000-4000-a000-000000000002',
  cuId: { vmId: instance.compute.vmId },
  attestationEndpoint: 'https://attest.invalid',
} as const;

export const issuedCredential = {
  client_id: platformMetadata.clientId,
  tenant_id: platformMetadata.tenantId,
  certificate: 'MIIC-lab',
  identity_type: 'UserAssigned',
  mtls_authentication_endpoint: 'https://mtlsauth.invalid',
} as const;

export const identityInfo = { tenantId: platformMetadata.tenantId } as const;

/** Documented range 2017-03-01 to 2025-04-07; 2020-07-01 is of scheduledevents. */
export const apiVersions: readonly string[] = (
  '2017-03-01 2017-04-02 2017-08-01 2017-11-01 2017-12-01 2018-02-01 2018-04-02 2018-10-01 2019-02-01 2019-03-11 2019-04-30 ' +
  '2019-06-01 2019-06-04 2019-08-01 2019-08-15 2019-11-01 2020-06-01 2020-07-01 2020-07-15 2020-09-01 2020-10-01 2020-12-01 ' +
  '2021-01-01 2021-02-01 2021-03-01 2021-05-01 2021-10-01 2021-11-01 2021-11-15 2021-12-13 2023-07-01 2023-11-15 2025-04-07'
).split(' ');

/** The value below `document` at `path` (`compute/vmId`); undefined where there is none. */
export function below(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => {
    const known = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return known ? (value as Record<string, unknown>)[name] : undefined;
  }, document);
}
