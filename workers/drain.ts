import { setTimeout } from 'node:timers/promises';

interface Drained {
  close(): Promise<void>;
  abort(reason: string): void;
}

/** Takes no further job and lets those under way finish; what has not by the deadline goes back to the queue. */
export async function drain(workers: readonly Drained[], deadlineMs: number): Promise<void> {
  const done = new AbortController();
  const closing = Promise.all(workers.map((worker) => worker.close()));
  const late = setTimeout(deadlineMs, undefined, { signal: done.signal }).then(
    () => {
      for (const worker of workers) worker.abort('the process is stopping');
    },
    () => undefined,
  );
  await closing.finally(() => done.abort());
  await late;
}
