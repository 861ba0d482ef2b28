import { MillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { COMMITS_PREFIX, commitKey } from './layout.ts';

/** Commits are small and many: so many are read at once. */
export const COMMIT_READ_CONCURRENCY = 16;

/** A shard's latest commit, by name. */
export interface CommittedShard {
  readonly shard: number;
  readonly generation: number;
}

/**
 * The highest generation of every shard that has a commit, in the order of the shards.
 *
 * @throws MillraceError RUN_CORRUPT for an object that is not named as a commit is.
 */
export async function* listCommittedShards(output: Storage): AsyncGenerator<CommittedShard, void, undefined> {
  let latest: CommittedShard | undefined;
  // Keys start with the shard in fixed width, so a shard's generations are neighbours, though not in their order.
  for await (const { key } of output.list(COMMITS_PREFIX)) {
    const commit = parseCommitKey(key);
    if (latest !== undefined && commit.shard !== latest.shard) yield latest;
    if (latest === undefined || commit.shard !== latest.shard || commit.generation > latest.generation)
      latest = commit;
  }
  if (latest !== undefined) yield latest;
}

function parseCommitKey(key: string): CommittedShard {
  const [, digits, generation] = /^(\d+)\.(\d+)\.json$/.exec(key.slice(COMMITS_PREFIX.length)) ?? [];
  const commit = { shard: Number(digits), generation: Number(generation) };
  if (digits === undefined || commitKey(commit.shard, commit.generation) !== key)
    throw new MillraceError('RUN_CORRUPT', `${key} is not the name of a commit; remove it.`);
  return commit;
}
