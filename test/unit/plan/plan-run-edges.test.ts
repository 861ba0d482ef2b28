import { describe, expect, it } from 'vitest';
import { planRun, readShard } from '../../../src/plan/plan-run.ts';
import type { PlanDocument, PlannedImage } from '../../../src/run/documents.ts';
import type { SourceImage } from '../../../src/source/source.ts';
import { readPlan } from '../../../src/run/read-write.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { gate } from '../runtime/gate.ts';

/** So many images, called `a0.png`, `a1.png`, ... */
async function* listing(images: number, letter = 'a'): AsyncGenerator<SourceImage> {
  for (let n = 0; n < images; n++) yield { key: `${letter}${n}.png`, sizeBytes: n, etag: `v${n}` };
}

async function readShards(output: Storage, plan: PlanDocument): Promise<PlannedImage[][]> {
  return Promise.all(plan.parts.map((_, shard) => readShard(output, plan, shard)));
}

describe('planRun', () => {
  it('begins no shard for nothing', async () => {
    const full = await planRun(openMemoryStorage(), listing(4), 2, 1);
    expect(full.parts.map(({ images }) => images)).toEqual([2, 2]);
    const empty = await planRun(openMemoryStorage(), listing(0), 'auto', 1);
    expect(empty).toEqual({ schema: 1, images: 0, shardSize: 1, parts: [] });
  });

  it.each([
    { images: 10, minAutoShardSize: 1, shardSize: 1, shards: 10 },
    { images: 10, minAutoShardSize: 4, shardSize: 4, shards: 3 },
    { images: 3, minAutoShardSize: 4, shardSize: 4, shards: 1 },
    { images: 320, minAutoShardSize: 4, shardSize: 10, shards: 32 },
    { images: 351, minAutoShardSize: 4, shardSize: 10, shards: 36 },
    { images: 8191, minAutoShardSize: 4, shardSize: 255, shards: 33 },
    { images: 8192, minAutoShardSize: 4, shardSize: 256, shards: 32 },
    { images: 9000, minAutoShardSize: 4, shardSize: 256, shards: 36 },
    { images: 600, minAutoShardSize: 512, shardSize: 256, shards: 3 },
  ])(
    'auto, $images images, at least $minAutoShardSize a shard: $shards of $shardSize',
    async ({ images, minAutoShardSize, shardSize, shards }) => {
      const output = openMemoryStorage();
      const plan = await planRun(output, listing(images), 'auto', minAutoShardSize);
      expect(plan).toMatchObject({ images, shardSize });
      expect(plan.parts).toHaveLength(shards);
      const planned = (await readShards(output, plan)).flat();
      expect(planned.map(({ id, key }) => `${id} ${key}`)).toEqual(
        Array.from({ length: images }, (_, n) => `${n + 1} a${n}.png`),
      );
    },
  );

  it('keeps a plan that is there, and does not list again', async () => {
    const output = openMemoryStorage();
    const plan = await planRun(output, listing(3), 2, 1);
    const unread: AsyncIterable<SourceImage> = {
      [Symbol.asyncIterator]: () => {
        throw new Error('listed again');
      },
    };
    expect(await planRun(output, unread, 5, 1)).toEqual(plan);
  });

  it('gives two planners with different listings the plan of the one that finished first', async () => {
    const output = openMemoryStorage();
    const first = gate();
    async function* lateListing(): AsyncGenerator<SourceImage> {
      yield* listing(4, 'late');
      await first.opened;
    }
    const late = planRun(output, lateListing(), 2, 1);
    const early = await planRun(output, listing(3, 'early'), 2, 1);
    first.open();
    expect(await late).toEqual(early);
    const keys = (await readShards(output, await late)).flat().map(({ key }) => key);
    expect(keys).toEqual(['early0.png', 'early1.png', 'early2.png']);
  });

  it('makes no plan of a listing that breaks off', async () => {
    const output = openMemoryStorage();
    async function* broken(): AsyncGenerator<SourceImage> {
      yield* listing(3);
      throw new Error('the network is gone');
    }
    await expect(planRun(output, broken(), 2, 1)).rejects.toThrow('the network is gone');
    expect(await readPlan(output)).toBeUndefined();
    expect(await planRun(output, listing(4), 2, 1)).toMatchObject({ images: 4 });
  });
});

describe('readShard', () => {
  it('refuses a shard that the plan does not have', async () => {
    const output = openMemoryStorage();
    const plan = await planRun(output, listing(2), 2, 1);
    await expect(readShard(output, plan, 1)).rejects.toThrow(new RangeError('shard 1 of 1'));
  });
});
