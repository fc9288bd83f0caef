import { execFileSync } from 'node:child_process';
import type { Test } from 'tap';
import { type Exec, systemExec } from '../../lib/platform/exec.ts';
import type { ReadFile } from '../../lib/redirect/backend.ts';
import { inside, ip, unavailable } from '../lab/namespaces.ts';
import { azureOf, buildNetwork, nodeOf, plugPod, podOf } from '../lab/network.ts';
import { disown, own } from '../lab/owned.ts';
import { folderOf, removeLab, reserve, sweep } from '../lab/state.ts';

/** For `t.test(name, { skip }, …)`: why there can be no namespaces here, false when there can. */
export const skip = unavailable() ?? false;

let made = 0;

/** A node, one pod behind its bridge, and Azure with 169.254.169.254 behind the node; gone with the test. */
export function throwAwayNode(t: Test): {
  readonly node: string;
  readonly pod: string;
  readonly azure: string;
  /** For logs; goes with the rest. */
  readonly folder: string;
} {
  const id = throwAwayId(t);
  buildNetwork(id);
  plugPod(id, 'app', 10);
  return { node: nodeOf(id), pod: podOf(id, 'app'), azure: azureOf(id), folder: folderOf(id) };
}

/** One namespace with nothing in it; gone with the test. */
export function throwAwayNamespace(t: Test): string {
  const name = nodeOf(throwAwayId(t));
  ip('netns', 'add', name);
  return name;
}

/** An Exec that runs everything in the namespace. A program that is missing there is exit 127. */
export function execIn(namespace: string): Exec {
  return (file, args, options) => systemExec('nsenter', [...inside(namespace), file, ...args], options);
}

/** Reads what differs between namespaces, such as /proc/net. */
export function readFileIn(namespace: string): ReadFile {
  return async (path) => execFileSync('nsenter', [...inside(namespace), 'cat', path], { encoding: 'utf8' });
}

/** Ends with the test, with this process, on a signal, or, after SIGKILL, when the next test sweeps. */
function throwAwayId(t: Test): string {
  sweep();
  const id = `throwaway${process.pid}x${++made}`;
  reserve(id);
  own(id);
  t.teardown(() => {
    removeLab(id);
    disown(id);
  });
  return id;
}
