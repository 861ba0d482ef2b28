import type { Job } from 'bullmq';
import { z } from 'zod';
import { forgetFinished, jobOptions, type BullConnection } from './bull-connection.ts';
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

/**
 * Adds a group with its shards in one transaction. Jobs that wait or run already stay as they are; a finished group is
 * forgotten first, with its shards, so that those which failed are tried again.
 */
export async function addGroup(
  connection: BullConnection,
  { runId, group }: GroupJob,
  model: string,
  shards: readonly ShardRef[],
): Promise<void> {
  const runs = connection.queue(RUNS_QUEUE);
  const jobId = groupJobId({ runId, group });
  await forgetFinished(runs, jobId, true);
  // A child that fails for good must not keep its parent waiting for ever: the merge judges what is missing.
  const options = { ...jobOptions(connection.settings), ignoreDependencyOnFailure: true };
  await connection.flows().add({
    name: GROUP,
    queueName: RUNS_QUEUE,
    data: { runId, group } satisfies GroupJob,
    opts: { ...options, jobId, parent: { id: runJobId(runId), queue: runs.qualifiedName } },
    children: shards.map(({ shard, generation }) => {
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

/** What a group job does once its shards have ended: it says which of them failed. */
export async function summarizeGroup(job: Job<unknown>): Promise<GroupResult> {
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
