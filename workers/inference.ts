/** The worker process: pulls shards of the models that it was started with, and labels them. */
import type { Config } from '../config/schema.ts';
import type { Cluster } from '../src/flow/enqueue.ts';
import { type ShardObserver, startInference } from '../src/flow/inference.ts';
import { fetchModelPackage } from '../src/model/fetch-package.ts';
import { shardsQueue } from '../src/queue/jobs.ts';
import { OpenRuns } from '../src/run/open-runs.ts';
import type { Lifetime } from '../src/runtime/lifetime.ts';
import type { Logger } from '../src/runtime/log.ts';
import { Metrics } from '../src/runtime/metrics.ts';
import { SharedLock } from '../src/runtime/shared-lock.ts';
import { endProcess, untilToldToStop } from '../src/runtime/shutdown.ts';
import { type Engine, openEngine } from '../src/shard/engine.ts';
import { jobNotes } from '../src/shard/shard-notes.ts';
import { drain } from './drain.ts';
import { serveHealth } from './health.ts';

export interface InferenceWorkerOptions {
  /** Model packages: folders or storage URIs. */
  readonly models: readonly string[];
  readonly config: Config;
  readonly log: Logger;
  readonly openCluster: () => Promise<Cluster>;
  readonly lifetime: Lifetime;
}

/**
 * Works until it is told to stop, then finishes or gives back its shards within `drainSeconds`.
 *
 * @throws MillraceError for a model, a queue or a registry that cannot be used.
 */
export async function runInferenceWorker(options: InferenceWorkerOptions): Promise<void> {
  const { config, log, lifetime } = options;
  const told = untilToldToStop();
  const metrics = new Metrics();
  const health = await serveHealth(config, metrics, log, lifetime);
  const engines: Engine[] = [];

  // Loading a model probes it, which warms it up.
  const turns = new SharedLock();
  for (const place of options.models) {
    const modelPackage = await fetchModelPackage(place, lifetime);
    const observer = metrics.forModel(modelPackage.manifest.name);
    engines.push(await openEngine(modelPackage, config, lifetime, { observer, turns }));
  }
  const { queue, registry } = await options.openCluster();
  const runs = new OpenRuns(registry, config.allowedUris);
  const workers = engines.map((engine) =>
    startInference(engine, {
      queue,
      runs,
      config,
      log,
      observer: UNOBSERVED,
      notesOf: (_job, { memory }) => jobNotes(memory),
      onUnusable: (error) => endProcess(error, log),
      onLostLock: () => metrics.lostLock(shardsQueue(engine.model.package.manifest.name)),
    }),
  );
  health.started({ queue, registry });
  log.info({ models: engines.map(({ model }) => model.package.manifest.name), health: health.url }, 'ready');

  const signal = await told;
  log.info({ signal, drainSeconds: config.drainSeconds }, 'stopping');
  health.drain();
  await drain(workers, config.drainSeconds * 1000);
}

/** The engine's own observer counts; nobody waits here for a certain run. */
const UNOBSERVED: ShardObserver = {
  begin: () => undefined,
  onImage: () => undefined,
  committed: () => undefined,
  failed: () => undefined,
};
