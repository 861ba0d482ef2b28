import type { CommitDocument, PlanDocument } from '../run/documents.ts';
import { COMMIT_READ_CONCURRENCY, listCommittedShards } from '../run/commits.ts';
import { commitKey, PLAN_KEY } from '../run/layout.ts';
import { readCommit, readPlan } from '../run/read-write.ts';
import { MillraceError } from '../runtime/errors.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import type { Storage } from '../storage/storage.ts';

/** @throws MillraceError `RUN_INCOMPLETE` while there is no plan, `RUN_CORRUPT` where it is none. */
export async function requirePlan(output: Storage): Promise<PlanDocument> {
  const plan = await readPlan(output);
  if (plan === undefined)
    throw new MillraceError(
      'RUN_INCOMPLETE',
      `Cannot merge: ${output.uri} has no ${PLAN_KEY} yet. Resume the run.`,
    );
  const images = plan.parts.reduce((sum, part) => sum + part.images, 0);
  if (images !== plan.images)
    throw new MillraceError(
      'RUN_CORRUPT',
      `${PLAN_KEY} counts ${plan.images} images, and its parts have ${images}.`,
    );
  return plan;
}

/**
 * The generation to read of each shard; index = shard.
 * @throws MillraceError `RUN_INCOMPLETE` while commits are missing, `RUN_CORRUPT` where one belongs to no shard.
 */
export async function requireAllCommitted(output: Storage, plan: PlanDocument): Promise<Int32Array> {
  const generations = new Int32Array(plan.parts.length).fill(-1);
  for await (const { shard, generation } of listCommittedShards(output)) {
    if (shard >= generations.length)
      throw new MillraceError(
        'RUN_CORRUPT',
        `${commitKey(shard, generation)} belongs to no shard: the plan has ${generations.length}.`,
      );
    generations[shard] = generation;
  }
  const missing = generations.filter((generation) => generation < 0).length;
  if (missing > 0)
    throw new MillraceError(
      'RUN_INCOMPLETE',
      `Cannot merge: ${missing} of ${generations.length} shards have no commit yet, the first is shard ${generations.indexOf(-1)}. Resume the run.`,
    );
  return generations;
}

/** The commits of these generations (index = shard), in order, each checked against the plan. */
export async function* readCommits(
  output: Storage,
  plan: PlanDocument,
  generations: Int32Array,
): AsyncGenerator<CommitDocument, void, undefined> {
  const keys = plan.parts.map((part, shard) => ({ part, shard, generation: generations[shard]! }));
  yield* mapOrdered(keys, COMMIT_READ_CONCURRENCY, async ({ part, shard, generation }) => {
    const key = commitKey(shard, generation);
    const commit = await readCommit(output, shard, generation);
    if (commit === undefined) throw new MillraceError('RUN_CORRUPT', `${key} is no longer there.`);
    if (commit.shard !== shard || commit.generation !== generation || commit.images !== part.images)
      throw new MillraceError(
        'RUN_CORRUPT',
        `${key} is of shard ${commit.shard}, generation ${commit.generation}, with ${commit.images} images; the plan has ${part.images} images there.`,
      );
    return commit;
  });
}
