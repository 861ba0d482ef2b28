import { describe, expect, it } from 'vitest';
import { groupShards } from '../../../src/queue/groups.ts';
import type { ShardRef } from '../../../src/queue/jobs.ts';

async function* from(shards: number[]): AsyncGenerator<ShardRef> {
  for (const shard of shards) yield { shard, generation: 0 };
}

async function grouped(shards: number[], groupSize: number): Promise<[number, number[]][]> {
  const groups: [number, number[]][] = [];
  for await (const { group, shards: refs } of groupShards(from(shards), groupSize)) {
    groups.push([group, refs.map(({ shard }) => shard)]);
  }
  return groups;
}

describe('groupShards', () => {
  it('yields nothing for no shards', async () => {
    expect(await grouped([], 10)).toEqual([]);
  });

  it('cuts consecutive shards', async () => {
    expect(await grouped([0, 1, 2, 3, 4], 2)).toEqual([
      [0, [0, 1]],
      [1, [2, 3]],
      [2, [4]],
    ]);
  });

  it('puts a shard into the same group whatever else is missing', async () => {
    expect(await grouped([3, 8, 9], 4)).toEqual([
      [0, [3]],
      [2, [8, 9]],
    ]);
  });
});
