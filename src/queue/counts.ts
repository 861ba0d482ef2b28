import { bullOf, type BullQueue } from './bull-connection.ts';
import { shardsQueue } from './jobs.ts';
import type { QueueConnection } from './queue-connection.ts';

/** The shards of one model, of every run. Finished ones are kept for a while only: they are no total. */
export interface ShardCounts {
  readonly waiting: number;
  /** Waiting, too, in runs whose priority is not 0. */
  readonly prioritized: number;
  /** Waiting for their next try. */
  readonly delayed: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
  /** How long the job that is next has been there; 0 where none waits. Of two clocks: the producer's and this one. */
  readonly oldestWaitingMs: number;
}

export async function countShards(connection: QueueConnection, model: string): Promise<ShardCounts> {
  const queue = bullOf(connection).queue(shardsQueue(model));
  const states = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as const;
  const [counts, ...addedMs] = await Promise.all([
    queue.getJobCounts(...states),
    nextAddedMs(queue, 'waiting'),
    nextAddedMs(queue, 'prioritized'),
  ]);
  const count = (state: (typeof states)[number]): number => counts[state] ?? 0;
  const oldestMs = Math.min(...addedMs.filter((timestamp) => timestamp !== undefined));
  return {
    waiting: count('waiting'),
    prioritized: count('prioritized'),
    delayed: count('delayed'),
    active: count('active'),
    completed: count('completed'),
    failed: count('failed'),
    oldestWaitingMs: Number.isFinite(oldestMs) ? Math.max(0, Date.now() - oldestMs) : 0,
  };
}

async function nextAddedMs(queue: BullQueue, state: 'waiting' | 'prioritized'): Promise<number | undefined> {
  const [next] = await queue.getJobs([state], 0, 0, true);
  return next?.timestamp;
}
