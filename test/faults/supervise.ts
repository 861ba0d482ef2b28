import { setTimeout } from 'node:timers/promises';
import type { RunningProcess } from '../../demo/process.ts';

const PAUSE_MS = 1_000;

/** A process that is started again when it ends, as Kubernetes does it. */
export interface Supervised {
  /** Undefined between its end and its return. */
  current(): RunningProcess | undefined;
  /** How often it has ended. */
  deaths(): number;
  /** Ends it for good. */
  end(): Promise<void>;
}

/** Resolves when its first life, number 1, is ready. */
export async function supervise(
  start: (life: number) => Promise<RunningProcess>,
  onDeath: (how: string) => void,
): Promise<Supervised> {
  let deaths = 0;
  const over = new AbortController();
  let current: RunningProcess | undefined = await start(1);
  const again = async (): Promise<RunningProcess | undefined> => {
    while (!over.signal.aborted) {
      try {
        return await start(deaths + 1);
      } catch (error) {
        onDeath(String(error));
        await setTimeout(PAUSE_MS);
      }
    }
    return undefined;
  };
  const keep = async (): Promise<void> => {
    while (current) {
      if (over.signal.aborted) current.child.kill('SIGKILL');
      const ending = await current.ended;
      current = undefined;
      if (over.signal.aborted) return;
      deaths += 1;
      onDeath(`ended with ${ending}`);
      current = await again();
    }
  };
  const keeping = keep();
  return {
    current: () => current,
    deaths: () => deaths,
    end: () => {
      over.abort();
      current?.child.kill('SIGKILL');
      return keeping;
    },
  };
}
