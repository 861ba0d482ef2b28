import { describe, expect, it } from 'vitest';
import { planRun, readShard } from '../../../src/plan/plan-run.ts';
import { planPartKey } from '../../../src/run/layout.ts';
import { readPlan } from '../../../src/run/read-write.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { StoredObject } from '../../../src/storage/storage.ts';

async function* listing(count: number, prefix = 'image'): AsyncGenerator<StoredObject> {
  for (let n = 0; n < count; n++) yield { key: `${prefix}-${n}.jpg`, sizeBytes: n, etag: `e${n}` };
}

const sizes = async (count: number, shardSize: number | 'auto', atLeast = 1): Promise<number[]> =>
  (await planRun(openMemoryStorage(), listing(count), shardSize, atLeast)).parts.map(({ images }) => images);

describe('planRun', () => {
  it('cuts shards of the size that is asked for', async () => {
    expect(await sizes(7, 3)).toEqual([3, 3, 1]);
  });

  it('takes a 32nd of the images, at least a batch and at most 256', async () => {
    expect(await sizes(64, 'auto')).toEqual(Array.from({ length: 32 }, () => 2));
    expect(await sizes(33, 'auto', 8)).toEqual([8, 8, 8, 8, 1]);
    expect((await sizes(20_000, 'auto'))[0]).toBe(256);
  });

  it('numbers the images from 1 in the order of the listing', async () => {
    const output = openMemoryStorage();
    const plan = await planRun(output, listing(5), 2, 1);
    const images = [...(await readShard(output, plan, 0)), ...(await readShard(output, plan, 2))];
    expect(images).toEqual([
      { id: 1, key: 'image-0.jpg', size: 0, etag: 'e0' },
      { id: 2, key: 'image-1.jpg', size: 1, etag: 'e1' },
      { id: 5, key: 'image-4.jpg', size: 4, etag: 'e4' },
    ]);
  });

  it('gives equal listings equal plans', async () => {
    const [first, second] = [openMemoryStorage(), openMemoryStorage()];
    expect(await planRun(first, listing(9), 4, 1)).toEqual(await planRun(second, listing(9), 4, 1));
  });

  it('lets one of two planners win, whole', async () => {
    const output = openMemoryStorage();
    const plans = await Promise.all([
      planRun(output, listing(6, 'old'), 2, 1),
      planRun(output, listing(4, 'new'), 2, 1),
    ]);
    expect(plans[0]).toEqual(plans[1]);
    expect(await readPlan(output)).toEqual(plans[0]);
    const keys = (await readShard(output, plans[0], 0)).map(({ key }) => key.slice(0, 3));
    expect(new Set(keys).size).toBe(1);
  });

  it('keeps the plan that is there', async () => {
    const output = openMemoryStorage();
    const plan = await planRun(output, listing(3), 2, 1);
    expect(await planRun(output, listing(99), 5, 1)).toEqual(plan);
  });

  it('notices an altered part', async () => {
    const output = openMemoryStorage();
    const plan = await planRun(output, listing(3), 2, 1);
    await output.put(planPartKey(0, plan.parts[0]!.digest), Buffer.from('{"id":1,"key":"/etc/passwd"}\n'));
    await expect(readShard(output, plan, 0)).rejects.toMatchObject({ code: 'RUN_CORRUPT' });
  });
});
