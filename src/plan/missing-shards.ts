import { type CommitDocument, commitDocument, type PlanDocument } from '../run/documents.ts';
import { commitKey } from '../run/layout.ts';
import { readJson } from '../run/read-write.ts';
import type { Storage } from '../storage/storage.ts';

/** The shards of a plan that have no commit yet, in order. Those that have one are told to `onCommitted`. */
export async function* missingShards(
  output: Storage,
  plan: PlanDocument,
  onCommitted: (commit: CommitDocument) => void,
): AsyncGenerator<{ shard: number; generation: number }> {
  for (let shard = 0; shard < plan.parts.length; shard++) {
    const commit = await readJson(output, commitKey(shard, 0), commitDocument);
    if (commit) onCommitted(commit);
    else yield { shard, generation: 0 };
  }
}
