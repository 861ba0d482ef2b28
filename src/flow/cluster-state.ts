/** What the coordinator's metrics say of the cluster. */
import { countShards } from '../queue/counts.ts';
import { shardsQueue } from '../queue/jobs.ts';
import type { QueueConnection } from '../queue/queue-connection.ts';
import type { ClusterState } from '../runtime/metrics.ts';

export interface ClusterStateOptions {
  readonly queue: QueueConnection;
  /** The models that have a queue. */
  readonly listModels: () => Promise<readonly string[]>;
  /** State of a run to the number of runs in it, as they were last seen. */
  readonly runStates: () => Readonly<Record<string, number>>;
}

/** Reads the queue of every model. */
export async function readClusterState({
  queue,
  listModels,
  runStates,
}: ClusterStateOptions): Promise<ClusterState> {
  const models = await listModels();
  const queues = models.map(async (model) => {
    const { oldestWaitingMs, ...jobs } = await countShards(queue, model);
    return { queue: shardsQueue(model), jobs, oldestSeconds: oldestWaitingMs / 1000 };
  });
  return { queues: await Promise.all(queues), runs: runStates() };
}
