import { describe, expect, it } from 'vitest';
import { missingShards } from '../../../src/plan/missing-shards.ts';
import type { PlanDocument } from '../../../src/run/documents.ts';
import { commitKey } from '../../../src/run/layout.ts';
import { toJsonBytes } from '../../../src/run/read-write.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import { commitOf } from '../run/documents-fixture.ts';
import { collect } from '../storage/collect.ts';

const planOf = (shards: number): PlanDocument => ({
  schema: 1,
  images: shards * 2,
  shardSize: 2,
  parts: Array.from({ length: shards }, () => ({ digest: '0'.repeat(64), images: 2 })),
});

/** The shards that miss a commit and those that have one, where these have one. */
async function sort(shards: number, committed: readonly number[]) {
  const output = openMemoryStorage();
  for (const shard of committed) await output.put(commitKey(shard, 0), toJsonBytes(commitOf(shard, 2)));
  const told: number[] = [];
  const missing = await collect(
    missingShards(output, planOf(shards), (commit) => {
      expect(commit).toEqual(commitOf(commit.shard, 2));
      told.push(commit.shard);
    }),
  );
  return { missing: missing.map(({ shard, generation }) => `${shard}.${generation}`), told };
}

describe('missingShards', () => {
  it.each([
    { shards: 3, committed: [], missing: ['0.0', '1.0', '2.0'] },
    { shards: 3, committed: [1], missing: ['0.0', '2.0'] },
    { shards: 12, committed: [0, 2, 3, 4, 5, 6, 7, 8, 9, 10], missing: ['1.0', '11.0'] },
    { shards: 2, committed: [0, 1], missing: [] },
    { shards: 0, committed: [], missing: [] },
  ])('$committed of $shards are committed: $missing are missing', async ({ shards, committed, missing }) => {
    expect(await sort(shards, committed)).toEqual({ missing, told: committed });
  });

  it('looks at a shard when it is asked for it, not before', async () => {
    const output = openMemoryStorage();
    const missing = missingShards(output, planOf(3), () => undefined);
    expect(await missing.next()).toMatchObject({ value: { shard: 0 } });
    await output.put(commitKey(1, 0), toJsonBytes(commitOf(1, 2)));
    expect(await missing.next()).toMatchObject({ value: { shard: 2 } });
  });

  it('takes no damaged commit for one', async () => {
    const output = openMemoryStorage();
    await output.put(commitKey(0, 0), Buffer.from('{}'));
    await expect(collect(missingShards(output, planOf(1), () => undefined))).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
    });
  });
});
