import type { IncomingHttpHeaders } from 'node:http';
import t from 'tap';
import { patienceFor } from '../../lib/metadata/patience.ts';

const patience = { usualMs: 8_000, longMs: 60_000 };

function ms(headers: IncomingHttpHeaders): number {
  return patienceFor(headers, patience);
}

t.test('waits long for clients that retry no 404', (t) => {
  const impatient: IncomingHttpHeaders[] = [
    { 'x-client-sku': 'MSAL.Python', 'x-client-ver': '1.34.0', 'user-agent': 'python-requests/2.32.3' },
    { 'x-client-sku': 'msal.python' },
    { 'user-agent': 'python-requests/2.32.3' },
    { 'user-agent': 'AZURECLI/2.66.0 (DEB)' },
    { 'user-agent': 'curl/8.5.0' },
    { 'user-agent': 'Go-http-client/1.1' },
    { 'user-agent': 'HashiCorp Terraform/1.9.0 (+https://www.terraform.io)' },
  ];
  for (const headers of impatient) t.equal(ms(headers), 60_000, JSON.stringify(headers));
  t.end();
});

t.test('waits the usual time for clients that come again, or that nobody knows', (t) => {
  const patient: IncomingHttpHeaders[] = [
    {},
    { 'user-agent': '' },
    { 'x-client-sku': 'MSAL.Go', 'user-agent': 'Go-http-client/1.1' },
    { 'x-client-sku': 'MSAL.Go', 'user-agent': 'azsdk-go-azidentity/v1.13.0 (go1.24; linux)' },
    { 'x-client-sku': 'MSAL.NetCore' },
    { 'x-client-sku': 'msal.js.node' },
    { 'x-client-sku': 'MSAL.Java', 'user-agent': 'Java-http-client/17.0.17' },
    { 'user-agent': 'azsdk-js-identity/4.14.1 Node/24' },
    { 'user-agent': 'azsdk-net-Identity/1.17.0 (.NET 8.0.1; Linux)' },
    { 'user-agent': 'azsdk-python-identity/1.25.0 Python/3.12.3' },
    { 'user-agent': 'azsdk-java-azure-identity/1.9' },
    { 'user-agent': 'Go/go1.20 (amd64-linux) go-autorest/adal/v1.0.0' },
    {
      'x-client-sku': 'MSAL.Python',
      'user-agent': 'azsdk-python-identity/1.27.0 Python/3.11.7 (Linux-6.1-x86_64)',
    },
    { 'user-agent': 'not curl/8.5.0' },
  ];
  for (const headers of patient) t.equal(ms(headers), 8_000, JSON.stringify(headers));
  t.end();
});
