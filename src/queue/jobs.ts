import { z } from 'zod';
import { MillraceError } from '../runtime/errors.ts';

/**
 * What the queues hold: names, ids and payloads. A payload holds ids only, never a path or a URI, and is parsed again
 * where it is taken: who can write to the queue must not be able to choose what is read or written.
 */

/** The jobs that plan, watch and merge: one `run` job per run, and the `group` jobs between it and its shards. */
export const RUNS_QUEUE = 'millrace.runs';

/** One queue per model, so that a deployment scales per model. */
export const shardsQueue = (model: string): string => `millrace.shards.${model}`;

/** Letters, digits, `_`, `.` and `-`: a run id is part of job ids, where BullMQ forbids `:`, and of storage keys. */
const runId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'letters, digits, "_", "." and "-", at most 128');

const model = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, "_", "." and "-", at most 63');

const shardRef = z.strictObject({ shard: z.int().nonnegative(), generation: z.int().nonnegative() });

/** One shard of a run; `generation` is 0 for its first commit. */
export const shardJob = z.strictObject({ runId, ...shardRef.shape });

/** A run, and the step to do next. Kept up to date in the job, so that a restarted coordinator goes on there. */
export const runJob = z.discriminatedUnion('step', [
  z.strictObject({ runId, step: z.literal('plan') }),
  z.strictObject({ runId, step: z.literal('enqueue'), model }),
  z.strictObject({ runId, step: z.literal('merge'), model }),
]);

/** The shards `group * groupSize` and following of a run. */
const groupJob = z.strictObject({ runId, group: z.int().nonnegative() });

/** What a group returns: how many of its shards failed for good, and why the first of them did. */
export const groupResult = z.strictObject({
  failed: z.int().nonnegative(),
  first: z.array(z.strictObject({ ...shardRef.shape, reason: z.string() })),
});

export type ShardRef = z.infer<typeof shardRef>;
export type ShardJob = z.infer<typeof shardJob>;
export type RunJob = z.infer<typeof runJob>;
export type GroupJob = z.infer<typeof groupJob>;
export type GroupResult = z.infer<typeof groupResult>;

/**
 * Job ids are functions of what the job does: adding a job that the queue still holds changes nothing. BullMQ refuses
 * ids with `:` and ids of digits alone.
 */
export const runJobId = (id: string): string => `run-${id}`;

export const groupJobId = ({ runId, group }: GroupJob): string => `group-${runId}.${group}`;

export const shardJobId = ({ runId, shard, generation }: ShardJob): string =>
  `shard-${runId}.${shard}.${generation}`;

/** The shard that an id of `shardJobId` names; a prefix, such as the queue's name, does not matter. */
export function shardOfJobId(jobId: string): ShardRef {
  const [, shard, generation] = /\.(\d+)\.(\d+)$/.exec(jobId) ?? [];
  return parseJob(shardRef, { shard: Number(shard), generation: Number(generation) }, jobId);
}

/** @throws MillraceError `RUN_CORRUPT` if `data` is not what the schema says. */
export function parseJob<T>(schema: z.ZodType<T>, data: unknown, jobId: string): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new MillraceError(
    'RUN_CORRUPT',
    `the queue's job ${jobId} is not valid: ${z.prettifyError(parsed.error)}`,
  );
}
