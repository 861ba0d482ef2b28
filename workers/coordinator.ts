/** The coordinator process: plans, watches and merges runs. Needs no model file and no GPU; two at once are safe. */
import type { Config } from '../config/schema.ts';
import { runSteps } from '../src/flow/coordinator.ts';
import type { Cluster } from '../src/flow/enqueue.ts';
import { readClusterState } from '../src/flow/cluster-state.ts';
import { reconcile } from '../src/flow/reconciler.ts';
import { startRunWorker } from '../src/queue/runs.ts';
import { OpenRuns } from '../src/run/open-runs.ts';
import { runModels } from '../src/run/run-models.ts';
import type { Lifetime } from '../src/runtime/lifetime.ts';
import type { Logger } from '../src/runtime/log.ts';
import { Metrics } from '../src/runtime/metrics.ts';
import { untilToldToStop } from '../src/runtime/shutdown.ts';
import { serveHealth } from './health.ts';

export interface CoordinatorOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly openCluster: () => Promise<Cluster>;
  readonly lifetime: Lifetime;
}

/**
 * Works until it is told to stop; the step at hand goes back to the queue.
 *
 * @throws MillraceError for a queue or a registry that cannot be used.
 */
export async function runCoordinator({
  config,
  log,
  openCluster,
  lifetime,
}: CoordinatorOptions): Promise<void> {
  const told = untilToldToStop();
  const metrics = new Metrics();
  const health = await serveHealth(config, metrics, log, lifetime);

  const { queue, registry } = await openCluster();
  const runs = new OpenRuns(registry, config.allowedUris);
  const states = new Map<string, number>();
  const listModels = runModels({
    runIds: () => registry.ids(),
    modelOf: async (runId) => (await runs.open(runId)).run.model.name,
    log,
  });
  const runStates = (): Record<string, number> => Object.fromEntries(states);
  metrics.watchCluster(() => readClusterState({ queue, listModels, runStates }));
  const stop = new AbortController();
  const worker = startRunWorker(queue, runSteps(runs), stop.signal);
  const reconciling = reconcile({
    queue,
    registry,
    runs,
    intervalMs: config.reconcileSeconds * 1000,
    log,
    signal: stop.signal,
    onStates: (seen) => {
      states.clear();
      for (const [state, count] of seen) states.set(state, count);
    },
  });
  health.started({ queue, registry });
  log.info({ health: health.url }, 'ready');

  const signal = await told;
  log.info({ signal }, 'stopping');
  health.drain();
  stop.abort();
  await Promise.all([worker.close(), reconciling]);
}
