import { bullOf } from './bull-connection.ts';
import { startJobWorker, type JobWorker } from './job-worker.ts';
import { parseJob, shardJob, shardsQueue, type ShardJob } from './jobs.ts';
import type { QueueConnection } from './queue-connection.ts';

export interface ShardWorkerOptions {
  /** The model package's name. */
  readonly model: string;
  /** Shards under way at once. */
  readonly concurrency: number;
  /**
   * Does one shard, at least once: the same job may run again, even at the same time, after its worker was thought
   * dead. A `MillraceError` that no retry can help fails the job for good; any other error is tried again.
   *
   * `signal` aborts when the worker is told to stop, or has lost the job to another one.
   */
  readonly process: (job: ShardJob, signal: AbortSignal, taken: TakenJob) => Promise<void>;
  /** Told each time that another worker may have got a job of this one. */
  readonly onLostLock?: () => void;
}

/** What is known of a job beside what it says. */
export interface TakenJob {
  /** Which try this is, from 1; one that was cut short by the death of its worker does not count. */
  readonly attempt: number;
  /** A value that the job keeps for whoever takes it next. */
  readonly memory: { read(): unknown; write(value: object): Promise<void> };
}

/** Takes the shards of one model, of every run that has some. */
export function startShardWorker(connection: QueueConnection, options: ShardWorkerOptions): JobWorker {
  const bull = bullOf(connection);
  return startJobWorker(bull, {
    queue: shardsQueue(options.model),
    concurrency: options.concurrency,
    maxStartedAttempts: bull.settings.maxStartedAttempts,
    ...(options.onLostLock && { onLostLock: options.onLostLock }),
    handle: (job, _token, signal) =>
      options.process(parseJob(shardJob, job.data, job.id ?? ''), signal, {
        attempt: job.attemptsMade + 1,
        memory: { read: () => job.progress, write: (value) => job.updateProgress(value) },
      }),
  });
}
