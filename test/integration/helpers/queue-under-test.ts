import { afterAll, afterEach, beforeAll } from 'vitest';
import { openQueue, type QueueConnection } from '../../../src/queue/connection.ts';
import type { ShardFailures } from '../../../src/queue/groups.ts';
import type { ShardJob, ShardRef } from '../../../src/queue/jobs.ts';
import {
  addRun,
  startRunWorker,
  waitForRun,
  type RunOutcome,
  type RunPriority,
  type RunSteps,
} from '../../../src/queue/runs.ts';
import { startShardWorker } from '../../../src/queue/shards.ts';

export const POLL = { pollMs: 20 };

/** What the queue runs on; the embedded one has no URL. */
export interface QueueServer {
  readonly url?: string;
  stop(): Promise<void>;
}

export interface SeenRuns {
  readonly calls: string[];
  failures?: ShardFailures;
}

/** A queue for the tests of one file, and workers that end with the test that started them. */
export class QueueUnderTest {
  readonly logged: string[] = [];
  readonly workers: { close(): Promise<void> }[] = [];
  #queue: QueueConnection | undefined;
  #server: QueueServer | undefined;

  constructor(start: () => Promise<QueueServer>) {
    beforeAll(async () => {
      this.#server = await start();
      this.#queue = await this.open();
    });
    afterAll(async () => {
      await this.#queue?.close();
      await this.#server?.stop();
    });
    afterEach(async () => {
      for (const worker of this.workers.splice(0)) await worker.close();
    });
  }

  get queue(): QueueConnection {
    if (!this.#queue) throw new Error('the queue is not open yet');
    return this.#queue;
  }

  /** One more connection to the same server; to be closed by the test. */
  open(): Promise<QueueConnection> {
    return openQueue({
      url: this.#server?.url,
      groupSize: 40,
      retryDelayMs: 10,
      lockDurationMs: 2_000,
      stalledIntervalMs: 500,
      log: { error: (_fields, message) => void this.logged.push(message) },
    });
  }

  /** Each run of a test has a model of its name, unless `plan` says another. */
  startRuns(steps: Partial<RunSteps>, queue = this.queue): SeenRuns {
    const seen: SeenRuns = { calls: [] };
    const worker = startRunWorker(queue, {
      plan: async (id) => {
        seen.calls.push('plan');
        return (await steps.plan?.(id)) ?? { model: id };
      },
      missingShards: (id) => {
        seen.calls.push('enqueue');
        return steps.missingShards?.(id) ?? shardsTo(2);
      },
      merge: async (id, failures) => {
        seen.calls.push('merge');
        seen.failures = failures;
        await steps.merge?.(id, failures);
      },
    });
    this.workers.push(worker);
    return seen;
  }

  startShards(
    model: string,
    process: (job: ShardJob, signal: AbortSignal) => Promise<void> = async () => {},
    concurrency = 4,
  ): { readonly done: number[]; readonly worker: ReturnType<typeof startShardWorker> } {
    const done: number[] = [];
    const worker = startShardWorker(this.queue, {
      model,
      concurrency,
      process: async (job, signal) => {
        done.push(job.shard);
        await process(job, signal);
      },
    });
    this.workers.push(worker);
    return { done, worker };
  }

  async run(runId: string, priority: RunPriority = {}): Promise<RunOutcome> {
    await addRun(this.queue, runId, priority);
    return waitForRun(this.queue, runId, POLL);
  }
}

export async function* shardsTo(count: number): AsyncGenerator<ShardRef> {
  for (let shard = 0; shard < count; shard++) yield { shard, generation: 0 };
}

/** A promise, and what opens it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let resolveOpened: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => (resolveOpened = resolve));
  return { opened, open: () => resolveOpened?.() };
}

export const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
export const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
