import type { Config } from '../config/schema.ts';
import type { Cluster } from '../src/flow/enqueue.ts';
import { type HealthServer, startHealthServer } from '../src/runtime/health.ts';
import type { Lifetime } from '../src/runtime/lifetime.ts';
import type { Logger } from '../src/runtime/log.ts';
import type { Metrics } from '../src/runtime/metrics.ts';

export interface ProcessHealth extends Pick<HealthServer, 'url' | 'drain'> {
  /** Says that the process works; it is ready while queue and registry answer. */
  started(cluster: Cluster): void;
}

/** Health and metrics of a process of the cluster; they end with `lifetime`. */
export async function serveHealth(
  config: Config,
  metrics: Metrics,
  log: Logger,
  lifetime: Lifetime,
): Promise<ProcessHealth> {
  lifetime.onEnd(async () => metrics.close());
  let isStarted = false;
  const server = await startHealthServer({
    port: config.httpPort,
    checks: {},
    isStarted: () => isStarted,
    metrics,
    log,
  });
  lifetime.onEnd(() => server.close());
  return {
    url: server.url,
    drain: () => server.drain(),
    started: ({ queue, registry }) => {
      server.addCheck('queue', () => queue.ping());
      server.addCheck('registry', () => registry.assertReadable());
      isStarted = true;
    },
  };
}
