import { demo } from './agent.ts';

export const tokenPath = '/metadata/identity/oauth2/token';
export const version = 'api-version=2018-02-01';
export const vault = 'https%3A%2F%2Fvault.azure.net';
const id = demo.clientId;
const arm = encodeURIComponent(demo.resourceId);

/** The target, and what is added to `Metadata: true`. */
type Form = [name: string, target: string, lines: string[]];

/** Request heads as SDKs send them, each with every id parameter that it knows. */
export const forms: Form[] = [
  [
    'Go azidentity',
    `${tokenPath}?${version}&client_id=${id}&resource=${vault}`,
    ['x-client-SKU: MSAL.Go', 'x-client-Ver: 1.4.2', 'x-ms-client-request-id: 1'],
  ],
  [
    'Go azidentity, by resource id',
    `${tokenPath}?${version}&msi_res_id=${arm}&resource=${vault}`,
    ['User-Agent: azsdk-go-azidentity/v1.13.0'],
  ],
  [
    'Go azidentity, by object id',
    `${tokenPath}?${version}&object_id=${demo.objectId}&resource=${vault}`,
    ['Accept-Encoding: gzip'],
  ],
  [
    'MSAL Go',
    `${tokenPath}?${version}&client_id=${id}&resource=${vault}`,
    [
      'User-Agent: Go-http-client/1.1',
      'X-Client-Sku: MSAL.Go',
      'X-Client-Ver: 1.4.2',
      'Accept-Encoding: gzip',
    ],
  ],
  [
    'MSAL .NET',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['x-client-sku: MSAL.NetCore', 'client-request-id: 1'],
  ],
  [
    'MSAL .NET, by object id',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    ['x-client-sku: MSAL.NetCore'],
  ],
  ['MSAL .NET, by resource id', `${tokenPath}?${version}&resource=${vault}&msi_res_id=${arm}`, []],
  ['Azure.Identity .NET, hyphens', `${tokenPath}?${version}&resource=${vault}&msi-res-id=${arm}`, []],
  [
    'MSAL JS',
    `${tokenPath}?${version}&resource=${vault}&mi_res_id=${arm}`,
    ['Content-Type: application/x-www-form-urlencoded;charset=utf-8'],
  ],
  ...(['client_id', 'object_id'] as const).map((name): Form => {
    const value = name === 'client_id' ? id : demo.objectId;
    const line = 'Content-Type: application/x-www-form-urlencoded;charset=utf-8';
    return [`MSAL JS, by ${name}`, `${tokenPath}?${version}&resource=${vault}&${name}=${value}`, [line]];
  }),
  [
    'msal-node with a base URL',
    `${tokenPath}/?${version}&resource=${vault}&msi_res_id=${arm}`,
    ['sec-fetch-mode: cors', 'accept: */*', 'accept-language: *'],
  ],
  [
    '@azure/identity',
    `${tokenPath}?resource=${vault}&${version}&client_id=${id}`,
    ['Accept: application/json', 'Content-Length: 0'],
  ],
  [
    'MSAL Java',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    ['x-client-SKU: MSAL.Java'],
  ],
  [
    'MSAL Java, by client id',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['x-client-SKU: MSAL.Java'],
  ],
  [
    'MSAL Java, by resource id',
    `${tokenPath}?${version}&resource=${vault}&mi_res_id=${arm}`,
    ['x-client-SKU: MSAL.Java'],
  ],
  [
    'MSAL Java over Java’s own HTTP client',
    `${tokenPath}?${version}&resource=${vault}`,
    [
      'Connection: Upgrade, HTTP2-Settings',
      'Content-Length: 0',
      'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      'Upgrade: h2c',
      'User-Agent: Java-http-client/17.0.17',
    ],
  ],
  [
    'azure-identity Java',
    `${tokenPath}?${version}&resource=${vault}&mi_res_id=${arm}`,
    ['User-Agent: azsdk-java-azure-identity/1.9', 'Accept: text/html, image/gif, image/jpeg, */*; q=0.2'],
  ],
  [
    'azure-identity Java, by client id',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['User-Agent: azsdk-java-azure-identity/1.9'],
  ],
  [
    'Python azure-identity, by its identity_config',
    `${tokenPath}?${version}&resource=https://vault.azure.net&mi_res_id=${demo.resourceId}`,
    ['User-Agent: azsdk-python-identity/1.25 Python/3.12', 'Accept: */*'],
  ],
  [
    'Python azure-identity',
    `${tokenPath}?${version}&resource=https://vault.azure.net&client_id=${id}`,
    ['User-Agent: azsdk-python-identity/1.25 Python/3.12', 'Accept-Encoding: gzip, deflate', 'Accept: */*'],
  ],
  [
    'MSAL Python',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['User-Agent: python-requests/2.32.3', 'x-client-SKU: MSAL.Python', 'x-client-Ver: 1.34.0'],
  ],
  [
    'MSAL Python, by object id, as az asks',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    [
      'User-Agent: python-requests/2.32.3',
      'Accept-Encoding: gzip, deflate',
      'Accept: */*',
      'Connection: keep-alive',
      'x-client-SKU: MSAL.Python',
    ],
  ],
  [
    'MSAL Python, by resource id',
    `${tokenPath}?${version}&resource=${vault}&msi_res_id=${arm}`,
    ['User-Agent: python-requests/2.32.3', 'x-client-SKU: MSAL.Python', 'x-ms-client-request-id: 1'],
  ],
  [
    'msrestazure, by client id',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['User-Agent: python-requests/2.31'],
  ],
  [
    'msrestazure, by object id',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    ['User-Agent: python-requests/2.31'],
  ],
  [
    'msrestazure',
    `${tokenPath}?${version}&resource=${vault}&msi_res_id=${arm}`,
    ['User-Agent: python-requests/2.31'],
  ],
  [
    'adal',
    `${tokenPath}?${version}&mi_res_id=${arm}&resource=${vault}`,
    ['User-Agent: Go/go1.20 (amd64-linux) go-autorest/adal/v1.0.0'],
  ],
  [
    'adal, by client id',
    `${tokenPath}?${version}&client_id=${id}&resource=${vault}`,
    ['User-Agent: Go/go1.20 (amd64-linux) go-autorest/adal/v1.0.0'],
  ],
  [
    'terraform, without an id',
    `${tokenPath}?${version}&resource=${vault}`,
    ['User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'],
  ],
  [
    'terraform',
    `${tokenPath}?${version}&client_id=${id.toUpperCase()}&resource=${vault}`,
    ['x-ms-identity: x'],
  ],
  ['curl', `${tokenPath}?resource=https://vault.azure.net`, ['User-Agent: curl/8.5.0', 'Accept: */*']],
  ['curl, with a slash', `${tokenPath}/?resource=https://vault.azure.net`, []],
];
