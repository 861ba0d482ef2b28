/** Handing runs to a cluster, and changing one's mind about them. Needs neither model file nor GPU. */
import type { Config } from '../../config/schema.ts';
import { readManifest } from '../model/fetch-package.ts';
import { createRun } from '../plan/open-run.ts';
import { prepareRun } from '../plan/prepare-run.ts';
import type { QueueConnection } from '../queue/connection.ts';
import { addRun } from '../queue/runs.ts';
import { activateRun, stopRun } from '../run/control.ts';
import type { FailureBudget } from '../run/failure-budget.ts';
import type { StorageRegistry } from '../run/registry.ts';
import { MillraceError } from '../runtime/errors.ts';
import { openStorage } from '../storage/open.ts';
import { readRun } from './follow.ts';

/** A deployment, as its producers see it. */
export interface Cluster {
  readonly queue: QueueConnection;
  readonly registry: StorageRegistry;
}

export interface EnqueueRequest {
  /** What to label, as a URI that the workers can read. */
  readonly source: string;
  /** A model package: a folder or a storage URI. Only its `model.json` is read. */
  readonly model: string;
  /** As a URI that the workers can write. */
  readonly output: string;
  readonly config: Config;
  /** Among the runs of one model: 0 is first, larger numbers wait. */
  readonly priority?: number;
}

export interface EnqueuedRun {
  readonly runId: string;
  /** URI. */
  readonly output: string;
  /** The run was complete before, and nothing was enqueued. */
  readonly alreadyComplete: boolean;
}

/**
 * Checks the request, writes `run.json`, registers the run and puts it on the queue. The same again resumes what was
 * interrupted or cancelled, and does nothing for a complete run.
 *
 * @throws MillraceError before anything is written, for what cannot be used; QUEUE_UNAVAILABLE after it, and then the
 *   coordinator finds the run in the registry.
 */
export async function enqueueRun(request: EnqueueRequest, cluster: Cluster): Promise<EnqueuedRun> {
  const manifest = await readManifest(request.model);
  const { wanted, output, complete } = await prepareRun(request, manifest, request.config);
  if (complete) return { runId: wanted.runId, output: output.uri, alreadyComplete: true };
  const { runId } = await createRun(output, wanted);
  await activateRun(output, { maxFailures: request.config.maxFailures });
  await submit(runId, output.uri, request.priority ?? 0, cluster);
  return { runId, output: output.uri, alreadyComplete: false };
}

/**
 * Stops the run in this output: workers give up within seconds, and what is committed stays. Works without the queue.
 *
 * @throws MillraceError RUN_UNKNOWN, and USAGE for a run that is complete.
 */
export async function cancelRun(output: string, reason: string): Promise<void> {
  const { state } = await readRun(output);
  if (state === 'complete')
    throw new MillraceError('USAGE', `the run in ${output} is complete: there is nothing to cancel`);
  await stopRun(await openStorage(output), 'cancelled', reason);
}

export interface ResumeOptions {
  /** Try the images that have failed once more. */
  readonly retryFailed?: boolean;
  readonly maxFailures?: FailureBudget | undefined;
  readonly priority?: number;
}

/**
 * Lets a run go on that was cancelled, interrupted, or stopped for its failures.
 *
 * @throws MillraceError RUN_UNKNOWN.
 */
export async function resumeRun(
  output: string,
  { retryFailed = false, maxFailures, priority = 0 }: ResumeOptions,
  cluster: Cluster,
): Promise<EnqueuedRun> {
  const before = await readRun(output);
  const { runId } = before;
  const nothingToRetry = !retryFailed || before.tally.failed === 0;
  if (before.state === 'complete' && nothingToRetry)
    return { runId, output: before.output, alreadyComplete: true };
  await activateRun(await openStorage(output), { maxFailures, retryFailed });
  await submit(runId, before.output, priority, cluster);
  return { runId, output: before.output, alreadyComplete: false };
}

async function submit(runId: string, output: string, priority: number, cluster: Cluster): Promise<void> {
  await cluster.registry.register({ schema: 1, runId, output, priority });
  await addRun(cluster.queue, runId, { priority });
}
