/**
 * Millrace as a library: what the command line itself uses, so that a producer can live in somebody's own service.
 *
 *     const cluster = await connectCluster({ queueUrl: 'redis://redis:6379', registry: 's3://bucket/millrace/' });
 *     const { output } = await enqueueRun({ source, model, output: 's3://bucket/labels/' }, cluster);
 *     for await (const { state, tally } of followRun(output)) console.log(state, tally);
 *     await cluster.close();
 */
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import {
  type Cluster,
  enqueueRun as enqueue,
  type EnqueuedRun,
  resumeRun as resume,
  type ResumeOptions,
} from './flow/enqueue.ts';
import { openQueue } from './queue/connection.ts';
import { StorageRegistry } from './run/registry.ts';
import { openStorage } from './storage/open.ts';

export { cancelRun, type EnqueuedRun, type ResumeOptions } from './flow/enqueue.ts';
export { type FollowOptions, followRun, readRun, type RunState, type RunStatus } from './flow/follow.ts';
export { type ErrorCode, isMillraceError, MillraceError } from './runtime/errors.ts';

export interface ClusterOptions {
  /** `redis://`, `rediss://` or `postgres://`. */
  readonly queueUrl: string;
  /** Storage URI of the registry, the same for all processes of the deployment. */
  readonly registry: string;
}

/** A connection to a deployment; `close` it when nothing more is to be enqueued. */
export interface ClusterConnection extends Cluster {
  close(): Promise<void>;
}

/**
 * Connects to the queue and the registry of a deployment.
 *
 * @throws MillraceError QUEUE_UNAVAILABLE, and CONFIG_INVALID for a URL that no queue has.
 */
export async function connectCluster({ queueUrl, registry }: ClusterOptions): Promise<ClusterConnection> {
  const queue = await openQueue({ url: queueUrl });
  return { queue, registry: new StorageRegistry(await openStorage(registry)), close: () => queue.close() };
}

export interface EnqueueOptions {
  /** What to label, as a URI that the workers can read. */
  readonly source: string;
  /** A model package that workers serve: a folder or a storage URI. */
  readonly model: string;
  /** Where the results go, as a URI that the workers can write. */
  readonly output: string;
  /** Among the runs of one model: 0 is first, larger numbers wait. */
  readonly priority?: number;
  /** Settings of the run, as in `millrace.yaml`: `scoreThreshold`, `annotate`, `maxFailures`, ... */
  readonly settings?: Readonly<Partial<Record<keyof Config, unknown>>>;
}

/**
 * Checks the request, writes `run.json` and puts the run on the queue. The same again resumes an interrupted run, and
 * does nothing for a complete one.
 *
 * @throws MillraceError for whatever cannot be used, before anything is written.
 */
export async function enqueueRun(options: EnqueueOptions, cluster: Cluster): Promise<EnqueuedRun> {
  const { settings = {}, ...request } = options;
  const config = loadConfig({ flags: settings, environment: process.env });
  return enqueue({ ...request, config }, cluster);
}

/**
 * Lets a run go on that was cancelled, interrupted, or stopped for its failures.
 *
 * @throws MillraceError RUN_UNKNOWN.
 */
export function resumeRun(output: string, options: ResumeOptions, cluster: Cluster): Promise<EnqueuedRun> {
  return resume(output, options, cluster);
}
