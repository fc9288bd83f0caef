import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { issue } from '../lab/entra/issued.ts';

/**
 * `arm.ts HOST PORT CA_FILE`: as much of Azure Resource Manager as `az login` asks for, which is one subscription, and its CA.
 * Prints `ready`.
 */
const [host = '', port = '', caFile = ''] = process.argv.slice(2);
const subscription = {
  id: '/subscriptions/00000000-0000-4000-a000-000000000001',
  subscriptionId: '00000000-0000-4000-a000-000000000001',
  displayName: 'lab',
  state: 'Enabled',
};

const { key, cert } = issue('arm-stand-in', { names: [host] });
writeFileSync(caFile, cert);
const server = createServer({ key, cert }, ({ method, url = '', headers }, response) => {
  const isAsked =
    method === 'GET' && /^\/subscriptions\?/.test(url) && headers.authorization?.startsWith('Bearer ');
  response.writeHead(isAsked ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(isAsked ? { value: [subscription] } : { error: { code: 'NotFound' } }));
});
server.listen(Number(port), host, () => console.log('ready'));
