import { WaitingChildrenError, type Job } from 'bullmq';
import { z } from 'zod';
import type { JobStanding } from './backend.ts';
import { jobOptions, type BullConnection } from './bull-connection.ts';
import { fromFailedReason } from './failed-reason.ts';
import {
  groupJobId,
  groupResult,
  parseJob,
  RUNS_QUEUE,
  runJobId,
  shardJobId,
  shardOfJobId,
  shardsQueue,
  type GroupJob,
  type GroupResult,
  type ShardRef,
} from './jobs.ts';

/**
 * Between a run and its shards stand groups, each the parent of at most `groupSize` shards: a flow of a hundred thousand
 * children in one call stalls the process and the store, and on Postgres every child counts itself down on its parent's
 * row. Which group a shard belongs to follows from its number, so that enqueueing again finds the same parents.
 */

export const GROUP = 'group';

/** The failures kept by name; the others are counted. */
const NAMED_FAILURES = 10;

/** The shards of a run that failed for good. */
export interface ShardFailures {
  readonly count: number;
  /** The first of them, in shard order. */
  readonly first: readonly (ShardRef & { readonly error: Error })[];
}

/** Consecutive shards of one group, as they come: nothing is held but the group at hand. */
export async function* groupShards(
  shards: AsyncIterable<ShardRef>,
  groupSize: number,
): AsyncGenerator<{ group: number; shards: ShardRef[] }> {
  let current: { group: number; shards: ShardRef[] } | undefined;
  for await (const ref of shards) {
    const group = Math.floor(ref.shard / groupSize);
    if (current?.group !== group) {
      if (current) yield current;
      current = { group, shards: [] };
    }
    current.shards.push(ref);
  }
  if (current) yield current;
}

/** Whose shards a group has, and how they are added. */
export interface GroupRun {
  readonly runId: string;
  readonly model: string;
  readonly priority: number;
}

/**
 * Adds a group with its shards in one transaction. Jobs that wait or run already stay as they are. What has finished is
 * forgotten first, so that it is done again: BullMQ would take a failed job that it keeps for one still to come, and
 * the group would wait for it for ever.
 */
export async function addGroup(
  connection: BullConnection,
  run: GroupRun,
  group: number,
  shards: readonly ShardRef[],
): Promise<void> {
  const { runId, model, priority } = run;
  const runs = connection.queue(RUNS_QUEUE);
  const jobId = groupJobId({ runId, group });
  const [standing] = await connection.backend.standings(RUNS_QUEUE, [jobId]);
  if (standing === 'completed' || standing === 'failed') await runs.remove(jobId, { removeChildren: true });
  const missing = await forgetFinishedShards(connection, run, jobId, shards, standing === 'live');
  // A child that fails for good must not keep its parent waiting for ever: the merge judges what is missing.
  const options = { ...jobOptions(connection.settings, priority), ignoreDependencyOnFailure: true };
  await connection.flows().add({
    name: GROUP,
    queueName: RUNS_QUEUE,
    data: { runId, group } satisfies GroupJob,
    opts: { ...options, jobId, parent: { id: runJobId(runId), queue: runs.qualifiedName } },
    children: missing.map(({ shard, generation }) => {
      const data = { runId, shard, generation };
      return {
        name: 'shard',
        queueName: shardsQueue(model),
        data,
        opts: { ...options, jobId: shardJobId(data) },
      };
    }),
  });
}

/**
 * Returns the shards to add. A group at work has its own already: those that wait or run, which on PostgreSQL must not be
 * added again while they may end, and those that have completed meanwhile, which are not missing any more.
 */
async function forgetFinishedShards(
  connection: BullConnection,
  { runId, model }: GroupRun,
  groupId: string,
  shards: readonly ShardRef[],
  groupAtWork: boolean,
): Promise<readonly ShardRef[]> {
  const queue = connection.queue(shardsQueue(model));
  const ids = shards.map((ref) => shardJobId({ runId, ...ref }));
  const standings = await connection.backend.standings(queue.name, ids);
  const stale: readonly JobStanding[] = groupAtWork ? ['failed'] : ['completed', 'failed'];
  const forgotten = ids.filter((_id, index) => stale.includes(standings[index] ?? 'gone'));
  if (forgotten.length > 0) {
    await Promise.all(forgotten.map((id) => queue.remove(id)));
    await connection.backend.forgetFailures({ queue: RUNS_QUEUE, id: groupId }, queue.name, forgotten);
  }
  if (!groupAtWork) return shards;
  return shards.filter((_shard, index) => standings[index] === 'gone' || standings[index] === 'failed');
}

/** What a group job does once its shards have ended: it says which of them failed. */
export async function summarizeGroup(job: Job<unknown>, token: string): Promise<GroupResult> {
  // Shards that were put back on the queue after the last one had ended.
  if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  const failures = Object.entries(await job.getIgnoredChildrenFailures())
    .map(([jobId, reason]) => ({ ...shardOfJobId(jobId), reason }))
    .toSorted((a, b) => a.shard - b.shard);
  return { failed: failures.length, first: failures.slice(0, NAMED_FAILURES) };
}

/** The failures of all groups of a run. A group that itself failed is not among them; the shards it had are missing. */
export async function failuresOfRun(job: Job<unknown>): Promise<ShardFailures> {
  const results = parseJob(z.record(z.string(), groupResult), await job.getChildrenValues(), job.id ?? '');
  const groups = Object.values(results);
  return {
    count: groups.reduce((sum, { failed }) => sum + failed, 0),
    first: groups
      .flatMap(({ first }) => first)
      .toSorted((a, b) => a.shard - b.shard)
      .slice(0, NAMED_FAILURES)
      .map(({ reason, ...ref }) => ({ ...ref, error: fromFailedReason(reason) })),
  };
}
