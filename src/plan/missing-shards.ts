import { COMMIT_READ_CONCURRENCY, type CommittedShard, listCommittedShards } from '../run/commits.ts';
import type { CommitDocument, PlanDocument } from '../run/documents.ts';
import { readCommit } from '../run/read-write.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import type { Storage } from '../storage/storage.ts';

export interface Wanted {
  /** A commit of an older generation is enough only where no image has failed. */
  readonly generation: number;
  /** Told every commit that is enough, which then has to be read. */
  readonly onCommitted?: (commit: CommitDocument) => void;
}

/** The shards of a plan that have still to be committed, in order, with the generation to commit. */
export async function* missingShards(
  output: Storage,
  plan: PlanDocument,
  { generation, onCommitted }: Wanted,
): AsyncGenerator<{ shard: number; generation: number }> {
  const isEnough = async ({ shard, generation: latest }: CommittedShard): Promise<boolean> => {
    if (latest < 0) return false;
    if (latest >= generation && !onCommitted) return true;
    const commit = await readCommit(output, shard, latest);
    if (!commit) return false;
    const enough = latest >= generation || Object.keys(commit.failures).length === 0;
    if (enough) onCommitted?.(commit);
    return enough;
  };
  const looked = mapOrdered(latestOfEveryShard(output, plan), COMMIT_READ_CONCURRENCY, async (latest) => ({
    shard: latest.shard,
    enough: await isEnough(latest),
  }));
  for await (const { shard, enough } of looked) if (!enough) yield { shard, generation };
}

/** Every shard of the plan with its latest generation, -1 where it has no commit. */
async function* latestOfEveryShard(output: Storage, plan: PlanDocument): AsyncGenerator<CommittedShard> {
  let next = 0;
  for await (const committed of listCommittedShards(output)) {
    while (next < committed.shard && next < plan.parts.length) yield { shard: next++, generation: -1 };
    if (committed.shard === next && next < plan.parts.length) yield { ...committed, shard: next++ };
  }
  while (next < plan.parts.length) yield { shard: next++, generation: -1 };
}
