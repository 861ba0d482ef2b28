import { setTimeout } from 'node:timers/promises';
import { WaitingChildrenError, type Job } from 'bullmq';
import { MillraceError, isMillraceError } from '../runtime/errors.ts';
import { bullOf, jobOptions, type BullConnection } from './bull-connection.ts';
import { fromFailedReason } from './failed-reason.ts';
import { addGroup, failuresOfRun, GROUP, groupShards, summarizeGroup, type ShardFailures } from './groups.ts';
import { startJobWorker, type JobWorker } from './job-worker.ts';
import { parseJob, runJob, runJobId, RUNS_QUEUE, type RunJob, type ShardRef } from './jobs.ts';
import { isOutage } from './outage.ts';
import type { QueueConnection } from './queue-connection.ts';

/** What a run does. Each step may run again after it was cut short or has failed, and must then find what it did. */
export interface RunSteps {
  plan(runId: string): Promise<{ readonly model: string }>;
  /** The shards without a commit, in ascending order. */
  missingShards(runId: string): AsyncIterable<ShardRef>;
  /** Runs when every shard has ended, whether it was committed or failed for good. */
  merge(runId: string, failures: ShardFailures): Promise<void>;
}

export type RunOutcome =
  { readonly state: 'completed' } | { readonly state: 'failed'; readonly error: Error };

export interface RunPriority {
  /** 0 is first; larger numbers wait, up to 2,097,151. The run's groups and shards have it, too. */
  readonly priority?: number;
}

/** Enqueues a run, or one that has finished once more; a run that the queue is working on stays as it is. */
export async function addRun(
  connection: QueueConnection,
  runId: string,
  { priority = 0 }: RunPriority = {},
): Promise<void> {
  const bull = bullOf(connection);
  const queue = bull.queue(RUNS_QUEUE);
  const data = parseJob(runJob, { runId, step: 'plan' } satisfies RunJob, runId);
  const jobId = runJobId(runId);
  const [standing] = await bull.backend.standings(RUNS_QUEUE, [jobId]);
  // BullMQ ignores an id that it still keeps. The groups stay: where a run failed half-way, some may still be at work.
  if (standing === 'completed' || standing === 'failed') await queue.remove(jobId, { removeChildren: false });
  await queue.add('run', data, { ...jobOptions(bull.settings, priority), jobId });
}

/** Takes runs through their steps. Aborting `signal` ends it after the step at hand; `close` is still to be called. */
export function startRunWorker(
  connection: QueueConnection,
  steps: RunSteps,
  signal?: AbortSignal,
): Pick<JobWorker, 'close'> {
  const bull = bullOf(connection);
  const worker = startJobWorker(bull, {
    queue: RUNS_QUEUE,
    concurrency: bull.settings.runConcurrency,
    handle: (job, token, aborted) =>
      job.name === GROUP ? summarizeGroup(job, token) : advanceRun(bull, steps, job, token, aborted),
  });
  const abort = (): void => worker.abort('the coordinator is stopping');
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return {
    close: () => {
      signal?.removeEventListener('abort', abort);
      return worker.close();
    },
  };
}

/** BullMQ's step pattern: the step to do next is written to the job before it is begun. */
async function advanceRun(
  connection: BullConnection,
  steps: RunSteps,
  job: Job<unknown>,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  let state = parseJob(runJob, job.data, job.id ?? '');
  const { runId } = state;
  if (state.step === 'plan') {
    const { model } = await steps.plan(runId);
    state = { runId, step: 'enqueue', model };
    await job.updateData(state);
  }
  if (state.step === 'enqueue') {
    const { model } = state;
    for await (const { group, shards } of groupShards(
      steps.missingShards(runId),
      connection.settings.groupSize,
    )) {
      signal.throwIfAborted();
      await addGroup(connection, { runId, model, priority: job.priority }, group, shards);
    }
    state = { runId, step: 'merge', model };
    await job.updateData(state);
  }
  signal.throwIfAborted();
  if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  await steps.merge(runId, await failuresOfRun(job));
}

/** Where a run stands; `unknown` if it was never added, or finished so long ago that the queue has forgotten it. */
export async function outcomeOf(
  connection: QueueConnection,
  runId: string,
): Promise<RunOutcome | { readonly state: 'running' | 'unknown' }> {
  const queue = bullOf(connection).queue(RUNS_QUEUE);
  const state = await queue.getJobState(runJobId(runId));
  if (state === 'completed' || state === 'unknown') return { state };
  if (state !== 'failed') return { state: 'running' };
  const job = await queue.getJob(runJobId(runId));
  return job === undefined ? { state: 'unknown' } : { state, error: fromFailedReason(job.failedReason) };
}

/**
 * Resolves when a run has ended. It polls: BullMQ's events may be lost. A queue that goes away is waited for.
 *
 * @throws the signal's reason where that is a MillraceError, else `INTERRUPTED`, when `signal` aborts.
 */
export async function waitForRun(
  connection: QueueConnection,
  runId: string,
  { pollMs, signal }: { readonly pollMs: number; readonly signal?: AbortSignal },
): Promise<RunOutcome> {
  for (;;) {
    const outcome = await outcomeOf(connection, runId).catch((error: unknown) => {
      if (isOutage(error)) return { state: 'running' as const };
      throw error;
    });
    if (outcome.state === 'completed' || outcome.state === 'failed') return outcome;
    if (outcome.state === 'unknown') {
      return {
        state: 'failed',
        error: new Error(`the queue does not know run ${runId}: start it again to resume`),
      };
    }
    await setTimeout(pollMs, undefined, { ...(signal && { signal }) }).catch(() => {
      throw interruption(signal, runId);
    });
  }
}

function interruption(signal: AbortSignal | undefined, runId: string): MillraceError {
  const cause: unknown = signal?.reason;
  if (isMillraceError(cause)) return cause;
  return new MillraceError('INTERRUPTED', `stopped waiting for run ${runId}`, { cause });
}
