/** A cloud of Azure: whom to ask for what. Hosts and origins are in lower case. */
export interface Cloud {
  readonly name: string;
  /** Origin of Azure Resource Manager. */
  readonly arm: string;
  /** For whom a token for ARM is issued; without `/` at its end. */
  readonly armAudience: string;
  /** Host of Microsoft Entra ID that new tokens are asked of. */
  readonly login: string;
}

const publicCloud: Cloud = {
  name: 'AzurePublicCloud',
  arm: 'https://management.azure.com',
  armAudience: 'https://management.azure.com',
  login: 'login.microsoftonline.com',
};

const usGovernment: Cloud = {
  name: 'AzureUSGovernmentCloud',
  arm: 'https://management.usgovcloudapi.net',
  armAudience: 'https://management.usgovcloudapi.net',
  login: 'login.microsoftonline.us',
};

const china: Cloud = {
  name: 'AzureChinaCloud',
  arm: 'https://management.chinacloudapi.cn',
  armAudience: 'https://management.chinacloudapi.cn',
  login: 'login.chinacloudapi.cn',
};

/** The names that the original took, in lower case. Germany's cloud was shut down in October 2021. */
export const clouds: ReadonlyMap<string, Cloud> = new Map([
  ['azurepubliccloud', publicCloud],
  ['azurecloud', publicCloud],
  ['azureusgovernment', usGovernment],
  ['azureusgovernmentcloud', usGovernment],
  ['azurechinacloud', china],
]);

/** Every host where these clouds hand out tokens, the older names included. */
export const loginHosts: ReadonlySet<string> = new Set([
  ...[publicCloud, usGovernment, china].map(({ login }) => login),
  ...['login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  'login.usgovcloudapi.net',
  'login.partner.microsoftonline.cn',
]);
