/**
 * Run on the node in the agent's place: `node:http` and nothing else, answering every request with as many bytes as a token has.
 *
 *   node test/bench/throughput/bare-program.ts HOST PORT BYTES
 */
import { createServer } from 'node:http';

const [host = '', port = '0', bytes = '0'] = process.argv.slice(2);
const body = JSON.stringify({ access_token: 'x'.repeat(Number(bytes) - 19) });
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };
const server = createServer({ keepAliveTimeout: 65_000 }, (_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(Number(port), host, () => process.stdout.write('ready\n'));
