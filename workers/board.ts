/** The board process: shows the queues of a cluster to people. Needs no model file; two at once are fine. */
import type { Config } from '../config/schema.ts';
import { serveBoard } from '../src/board/server.ts';
import type { Cluster } from '../src/flow/enqueue.ts';
import { shardsQueue } from '../src/queue/jobs.ts';
import { OpenRuns } from '../src/run/open-runs.ts';
import { runModels } from '../src/run/run-models.ts';
import type { Lifetime } from '../src/runtime/lifetime.ts';
import type { Logger } from '../src/runtime/log.ts';
import { untilToldToStop } from '../src/runtime/shutdown.ts';

/** How soon the queue of a new model is seen. */
const REFRESH_MS = 30_000;

export interface BoardProcessOptions {
  readonly config: Config;
  readonly password: string;
  readonly host: string;
  readonly allowChanges: boolean;
  readonly log: Logger;
  readonly openCluster: () => Promise<Cluster>;
  readonly lifetime: Lifetime;
}

/**
 * Serves the board until it is told to stop.
 *
 * @throws MillraceError for a port, a queue or a registry that cannot be used.
 */
export async function runBoard(options: BoardProcessOptions): Promise<void> {
  const { config, log, lifetime, host, allowChanges } = options;
  const told = untilToldToStop();
  const { queue, registry } = await options.openCluster();
  const runs = new OpenRuns(registry, config.allowedUris);
  const listModels = runModels({
    runIds: () => registry.ids(),
    modelOf: async (runId) => (await runs.open(runId)).run.model.name,
    log,
  });
  const board = await serveBoard({
    connection: queue,
    listQueues: async () => (await listModels()).map(shardsQueue),
    credentials: { user: config.boardUser, password: options.password },
    port: config.boardPort,
    host,
    allowChanges,
    refreshMs: REFRESH_MS,
    log,
  });
  lifetime.onEnd(() => board.close());
  log.info({ url: board.url }, 'ready');
  const signal = await told;
  log.info({ signal }, 'stopping');
}
