import { removeLab } from './state.ts';

/** The labs that end with this process: on a normal end, an error, SIGINT or SIGTERM. */
const owned = new Set<string>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** From now on the lab does not outlive this process. */
export function own(id: string): void {
  if (owned.size === 0) {
    process.on('exit', removeAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  owned.add(id);
}

/** The lab is gone, or meant to stay. */
export function disown(id: string): void {
  owned.delete(id);
  if (owned.size > 0) return;
  process.off('exit', removeAll);
  for (const signal of signals) process.off(signal, onSignal);
}

function removeAll(): void {
  for (const id of [...owned]) {
    removeLab(id);
    disown(id);
  }
}

/** Cleans up, then dies of the signal as if nobody had listened. */
function onSignal(signal: NodeJS.Signals): void {
  try {
    removeAll();
  } finally {
    process.kill(process.pid, signal);
  }
}
