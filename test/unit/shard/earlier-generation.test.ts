import { beforeEach, describe, expect, it } from 'vitest';
import type { ImageRecord } from '../../../src/run/record.ts';
import { commitShard } from '../../../src/shard/commit.ts';
import { readEarlierGeneration } from '../../../src/shard/earlier-generation.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FINGERPRINT } from '../run/documents-fixture.ts';

const IMAGES = [
  { id: 1, key: '1.png' },
  { id: 2, key: '2.png' },
];

/** Records that tell their generation. */
const recordsOf = (generation: number): ImageRecord[] =>
  IMAGES.map(({ id, key }) => ({
    image_id: id,
    key,
    failure: { class: 'changed', message: `in generation ${generation}` },
  }));

describe('readEarlierGeneration', () => {
  let output: Storage;

  beforeEach(() => {
    output = openMemoryStorage();
  });

  const commit = (generation: number, shard = 3) =>
    commitShard(output, {
      shard,
      generation,
      records: recordsOf(generation),
      networkPixels: { total: 9, padding: 1 },
      fingerprint: FINGERPRINT,
    });

  it('is the latest before the one that is asked for', async () => {
    for (const generation of [0, 2, 5]) await commit(generation);
    const earlier = await readEarlierGeneration(output, { shard: 3, generation: 5 }, IMAGES);
    expect(earlier?.commit.generation).toBe(2);
    expect(earlier?.records).toEqual(recordsOf(2));
  });

  it('is none where there is none of that shard', async () => {
    await commit(0, 4);
    expect(await readEarlierGeneration(output, { shard: 3, generation: 1 }, IMAGES)).toBeUndefined();
    expect(await readEarlierGeneration(output, { shard: 4, generation: 0 }, IMAGES)).toBeUndefined();
  });

  it.each([
    { images: IMAGES.slice(1) },
    { images: [...IMAGES, { id: 3, key: '3.png' }] },
    { images: IMAGES.toReversed() },
  ])('refuses records of other images: $images', async ({ images }) => {
    await commit(0);
    await expect(readEarlierGeneration(output, { shard: 3, generation: 1 }, images)).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringContaining('shard 3'),
    });
  });

  it('refuses records that are not what was committed', async () => {
    const { records } = await commit(0);
    await output.put(records.key, Buffer.from('{}\n'));
    await expect(readEarlierGeneration(output, { shard: 3, generation: 1 }, IMAGES)).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
    });
  });
});
