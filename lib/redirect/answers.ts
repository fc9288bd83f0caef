import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Exec } from '../platform/exec.ts';
import type { Target } from './rules.ts';

/** Whether somebody accepts connections there; `unknown` when there was no answer in time. Never throws. */
export type Answers = (target: Target) => Promise<'yes' | 'no' | 'unknown'>;

/** On the node itself; longer than that, and its queue is full. */
const patienceMs = 500;

/**
 * Asks by connecting, from the node itself; nobody is at an address that is none of its own. What connects counts only if a
 * program of the node listens there: a pod with that hostPort is connected to as well, and would keep the successor of a dead
 * agent standing by for ever.
 */
export function answersBy(exec: Exec): Answers {
  return async (target) => {
    if (!isOwn(target.ip)) return 'no';
    const answer = await connects(target);
    return answer === 'yes' && (await isElsewhere(target, exec)) ? 'no' : answer;
  };
}

/** False also where it cannot be told: iproute2 is not installed. */
async function isElsewhere({ ip, port }: Target, exec: Exec): Promise<boolean> {
  const listing = ['-H', '-l', '-t', '-n', `sport = :${port}`];
  const { code, stdout } = await exec('ss', listing, { timeoutMs: 5_000 }).catch(() => ({
    code: 1,
    stdout: '',
  }));
  if (code !== 0) return false;
  const places = ['*', '0.0.0.0', '[::]', ip, `[::ffff:${ip}]`].map((host) => `${host}:${port}`);
  // `LISTEN 0 511 127.0.0.1:2579 0.0.0.0:*`, of a socket that is bound to an interface `127.0.0.1%lo:2579`.
  return !stdout.split('\n').some((line) => {
    const [, , , local = ''] = line.trim().split(/\s+/);
    return places.includes(local.replace(/%[^:]*/, ''));
  });
}

function connects({ ip, port }: Target): Promise<'yes' | 'no' | 'unknown'> {
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
}

function isOwn(ip: string): boolean {
  if (ip.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((address) => address?.address === ip);
}
