/**
 * Program: `relay.ts IP PORT TO_IP TO_PORT` listens and hands each connection on, as the agent does for an excepted pod: the
 * request leaves as the node's own. Writes `ready`.
 */
import { connect, createServer } from 'node:net';

const [ip = '', port = '', toIp = '', toPort = ''] = process.argv.slice(2);

createServer((socket) => {
  const upstream = connect(Number(toPort), toIp);
  for (const end of [socket, upstream]) end.on('error', () => end.destroy());
  socket.pipe(upstream).pipe(socket);
}).listen(Number(port), ip, () => console.log('ready'));
