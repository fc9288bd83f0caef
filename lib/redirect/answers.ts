import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Target } from './rules.ts';

/** Whether somebody accepts connections there; `unknown` when there was no answer in time. Never throws. */
export type Answers = (target: Target) => Promise<'yes' | 'no' | 'unknown'>;

/** On the node itself; longer than that, and its queue is full. */
const patienceMs = 500;

/** Asks by connecting, from the node itself; nobody is at an address that is none of its own. */
export const answers: Answers = async ({ ip, port }) => {
  if (!isOwn(ip)) return 'no';
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port, timeout: patienceMs });
    const end = (answer: 'yes' | 'no' | 'unknown'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end('yes'));
    socket.once('timeout', () => end('unknown'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'no' : 'unknown'),
    );
  });
};

function isOwn(ip: string): boolean {
  if (ip.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((address) => address?.address === ip);
}
