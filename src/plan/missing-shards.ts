import type { CommitDocument, PlanDocument } from '../run/documents.ts';
import { readCommit } from '../run/read-write.ts';
import type { Storage } from '../storage/storage.ts';

/** The shards of a plan that have no commit yet, in order. Those that have one are told to `onCommitted`. */
export async function* missingShards(
  output: Storage,
  plan: PlanDocument,
  onCommitted: (commit: CommitDocument) => void,
): AsyncGenerator<{ shard: number; generation: number }> {
  for (let shard = 0; shard < plan.parts.length; shard++) {
    const commit = await readCommit(output, shard, 0);
    if (commit) onCommitted(commit);
    else yield { shard, generation: 0 };
  }
}
