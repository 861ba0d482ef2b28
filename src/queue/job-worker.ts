import { UnrecoverableError, WaitingChildrenError, WaitingError, type Job } from 'bullmq';
import { isMillraceError, MillraceError, toError } from '../runtime/errors.ts';
import type { BullConnection } from './bull-connection.ts';
import { toFailedReason } from './failed-reason.ts';

export interface JobWorker {
  /** Takes no further job, and resolves when those under way have ended. */
  close(): Promise<void>;
  /**
   * Takes no further job and aborts the signals of those under way. A job that throws after that goes back to the
   * queue, at no cost of an attempt. `close` is still to be called.
   */
  abort(reason: string): void;
}

export interface JobWorkerOptions {
  readonly queue: string;
  readonly concurrency: number;
  readonly maxStartedAttempts?: number;
  readonly onLostLock?: () => void;
  /** `token` proves to the queue that this worker holds the job's lock. */
  readonly handle: (job: Job<unknown>, token: string, signal: AbortSignal) => Promise<unknown>;
}

/**
 * A BullMQ worker whose jobs can be aborted: all by `abort`, one by the loss of its lock, after which another worker
 * may have the same job.
 */
export function startJobWorker(connection: BullConnection, options: JobWorkerOptions): JobWorker {
  const { queue, concurrency, maxStartedAttempts, handle } = options;
  const running = new Map<string, AbortController>();
  let stopped: MillraceError | undefined;

  const worker = connection.worker(
    queue,
    async (job, token) => {
      if (job.id === undefined || token === undefined) throw new TypeError('a job without an id or a lock');
      const aborter = new AbortController();
      running.set(job.id, aborter);
      try {
        if (stopped) throw stopped;
        return await handle(job, token, aborter.signal);
      } catch (error) {
        if (error instanceof WaitingChildrenError) throw error;
        if (stopped ?? aborter.signal.aborted) {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        throw asBullError(toError(error));
      } finally {
        // A worker that has lost a job may have taken it again meanwhile.
        if (running.get(job.id) === aborter) running.delete(job.id);
      }
    },
    { concurrency, ...(maxStartedAttempts !== undefined && { maxStartedAttempts }) },
  );

  worker.on('lockRenewalFailed', (jobIds) => {
    for (const id of jobIds) {
      options.onLostLock?.();
      running.get(id)?.abort(new MillraceError('INTERRUPTED', `the lock of job ${id} was lost`));
    }
  });

  return {
    close: () => worker.close(),
    abort: (reason) => {
      stopped ??= new MillraceError('INTERRUPTED', reason);
      worker.pause(true).catch((error: unknown) => connection.onError(toError(error), `pausing ${queue}`));
      for (const aborter of running.values()) aborter.abort(stopped);
    },
  };
}

const asBullError = (error: Error): Error =>
  isMillraceError(error) && error.retry === 'never'
    ? new UnrecoverableError(toFailedReason(error))
    : new Error(toFailedReason(error), { cause: error });
