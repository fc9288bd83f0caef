import { connect } from 'node:net';

/**
 * Run in a pod: asks the metadata address again and again over one connection, until that is closed or gives no answer for
 * two seconds:
 *
 *   node test/lab/nmi/linger.ts HOST
 */
const [host = ''] = process.argv.slice(2);
const request = `GET /metadata/versions HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`;
const socket = connect(80, host, () => socket.write(request));
socket.setTimeout(2_000, () => socket.destroy());
socket.on('data', () => setTimeout(() => socket.write(request), 20));
socket.on('error', () => undefined); // a reset ends it too
socket.on('close', () => process.stdout.write('over'));
