import { eventually } from '../lab/eventually.ts';
import type { Kubectl } from './kubectl.ts';
import { long } from './patience.ts';
import { namespace, type PodOptions, removePods, startPod, tokenUrl } from './workload.ts';

/** In the pod. Its log would be gone after a minute where the kubelets of several nodes share a folder. */
const file = '/tmp/shots';

/** One request of pod/load.ts. */
export interface Shot {
  readonly at: number;
  /** 0: no answer. */
  readonly status: number;
  readonly client?: string;
  readonly error?: string;
}

/** A pod that asks for a token all the time. */
export interface Load {
  shots(): Promise<readonly Shot[]>;
  /** Waits for `count` tokens more than there are. */
  goesOn(count?: number): Promise<void>;
  end(): Promise<void>;
}

/** Starts it, and waits for its first tokens. */
export async function startLoad(kubectl: Kubectl, name: string, options: PodOptions): Promise<Load> {
  await startPod(kubectl, name, { ...options, runs: ['load.ts', tokenUrl, file] });
  const shots = async (): Promise<readonly Shot[]> => {
    const lines = (await kubectl.exec(namespace, name, ['cat', file])).split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Shot);
  };
  const tokens = async (): Promise<number> => (await shots()).filter(({ status }) => status === 200).length;
  const load: Load = {
    shots,
    async goesOn(count = 20) {
      const wanted = (await tokens()) + count;
      await eventually(`${name} gets ${count} tokens more`, async () => (await tokens()) >= wanted, long);
    },
    end: () => removePods(kubectl, name),
  };
  await load.goesOn();
  return load;
}

/** Shots that brought another's token. */
export function foreign(shots: readonly Shot[], client: string): readonly Shot[] {
  return shots.filter((shot) => shot.status === 200 && shot.client !== client);
}

/** Shots that brought none. */
export function lost(shots: readonly Shot[]): readonly Shot[] {
  return shots.filter(({ status }) => status !== 200);
}
