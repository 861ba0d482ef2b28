import { describe, expect, it } from 'vitest';
import { missingShards } from '../../../src/plan/missing-shards.ts';
import type { CommitDocument, PlanDocument } from '../../../src/run/documents.ts';
import { commitKey } from '../../../src/run/layout.ts';
import { toJsonBytes } from '../../../src/run/read-write.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { commitOf } from '../run/documents-fixture.ts';
import { collect } from '../storage/collect.ts';

const planOf = (shards: number): PlanDocument => ({
  schema: 1,
  images: shards * 2,
  shardSize: 2,
  parts: Array.from({ length: shards }, () => ({ digest: '0'.repeat(64), images: 2 })),
});

async function outputWith(...commits: readonly CommitDocument[]): Promise<Storage> {
  const output = openMemoryStorage();
  for (const commit of commits)
    await output.put(commitKey(commit.shard, commit.generation), toJsonBytes(commit));
  return output;
}

const missingOf = async (output: Storage, shards: number, generation = 0): Promise<string[]> =>
  (await collect(missingShards(output, planOf(shards), { generation }))).map(
    (missing) => `${missing.shard}.${missing.generation}`,
  );

describe('missingShards', () => {
  it.each([
    { shards: 3, committed: [], missing: ['0.0', '1.0', '2.0'] },
    { shards: 3, committed: [1], missing: ['0.0', '2.0'] },
    { shards: 12, committed: [0, 2, 3, 4, 5, 6, 7, 8, 9, 10], missing: ['1.0', '11.0'] },
    { shards: 2, committed: [0, 1], missing: [] },
    { shards: 0, committed: [], missing: [] },
  ])('$committed of $shards are committed: $missing are missing', async ({ shards, committed, missing }) => {
    const output = await outputWith(...committed.map((shard) => commitOf(shard, 2)));
    expect(await missingOf(output, shards)).toEqual(missing);
  });

  it('tells the commits that there are', async () => {
    const output = await outputWith(commitOf(0, 2), commitOf(2, 1, { empty: 1 }));
    const told: CommitDocument[] = [];
    const onCommitted = (commit: CommitDocument): void => void told.push(commit);
    await collect(missingShards(output, planOf(3), { generation: 0, onCommitted }));
    expect(told).toEqual([commitOf(0, 2), commitOf(2, 1, { empty: 1 })]);
  });

  it('takes no damaged commit for one', async () => {
    const output = openMemoryStorage();
    await output.put(commitKey(0, 0), Buffer.from('{}'));
    const missing = missingShards(output, planOf(1), { generation: 0, onCommitted: () => undefined });
    await expect(collect(missing)).rejects.toMatchObject({ code: 'RUN_CORRUPT' });
  });

  it('wants a later generation of the shards that have failed images, and of them alone', async () => {
    const output = await outputWith(
      commitOf(0, 2),
      commitOf(1, 1, { empty: 1 }),
      commitOf(2, 1, { empty: 1 }),
      { ...commitOf(2, 1, { empty: 1 }), generation: 1 },
    );
    expect(await missingOf(output, 4, 1)).toEqual(['1.1', '3.1']);
    expect(await missingOf(output, 4, 2)).toEqual(['1.2', '2.2', '3.2']);
    expect(await missingOf(output, 4, 0)).toEqual(['3.0']);
  });
});
