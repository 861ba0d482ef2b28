import { bullOf } from './bull-connection.ts';
import { addGroup, groupShards, type GroupRun } from './groups.ts';
import { groupJobId, runJobId, RUNS_QUEUE, shardJobId, shardsQueue, type ShardRef } from './jobs.ts';
import type { QueueConnection } from './queue-connection.ts';

/** What the queue has of a run, and how to make it fit what the storage has. */

/** Jobs asked for in one round trip. */
const ASKED_AT_ONCE = 1_000;
/** Jobs removed in one round trip: for each, Redis looks through the list of those that wait. */
const REMOVED_AT_ONCE = 20;

/**
 * Whether each shard has a job that waits, runs or will be tried again, in the order of `shards`. False for one whose
 * job ended, however it ended.
 */
export async function knowsShards(
  connection: QueueConnection,
  { runId, model }: Pick<GroupRun, 'runId' | 'model'>,
  shards: readonly ShardRef[],
): Promise<boolean[]> {
  const { backend } = bullOf(connection);
  const known: boolean[] = [];
  for (const some of chunks(shards, ASKED_AT_ONCE)) {
    const ids = some.map((ref) => shardJobId({ runId, ...ref }));
    const standings = await backend.standings(shardsQueue(model), ids);
    known.push(...standings.map((standing) => standing === 'live'));
  }
  return known;
}

/**
 * Puts shards, in ascending order, back on the queue for a run that the queue is working on (`outcomeOf` says
 * `running`). Those with a live job stay as they are; a job that ended is replaced.
 */
export async function requeueShards(
  connection: QueueConnection,
  run: GroupRun,
  shards: AsyncIterable<ShardRef>,
): Promise<void> {
  const bull = bullOf(connection);
  for await (const { group, shards: some } of groupShards(shards, bull.settings.groupSize)) {
    await addGroup(bull, run, group, some);
  }
}

/**
 * Takes a run off the queue: its job, then group by group its shards, in small steps that keep nobody waiting.
 *
 * @param shards in ascending order; those without a job do not matter.
 * @returns how many jobs stay because a worker or coordinator is at them.
 */
export async function removeRun(
  connection: QueueConnection,
  { runId, model }: Pick<GroupRun, 'runId' | 'model'>,
  shards: AsyncIterable<ShardRef>,
): Promise<{ readonly busy: number }> {
  const bull = bullOf(connection);
  const [runs, shardJobs] = [bull.queue(RUNS_QUEUE), bull.queue(shardsQueue(model))];
  let busy = 0;
  const remove = async (queue: typeof runs, ids: readonly string[]): Promise<void> => {
    const standings = await bull.backend.standings(queue.name, ids);
    const there = ids.filter((_id, index) => standings[index] !== 'gone');
    for (const some of chunks(there, REMOVED_AT_ONCE)) {
      const removed = await Promise.all(some.map((id) => queue.remove(id, { removeChildren: false })));
      busy += removed.filter((count) => count === 0).length;
    }
  };
  // Parents first: a group that has lost its last child would go on to its summary, and the run to its merge.
  await remove(runs, [runJobId(runId)]);
  for await (const { group, shards: some } of groupShards(shards, bull.settings.groupSize)) {
    await remove(runs, [groupJobId({ runId, group })]);
    await remove(
      shardJobs,
      some.map((ref) => shardJobId({ runId, ...ref })),
    );
  }
  return { busy };
}

function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
