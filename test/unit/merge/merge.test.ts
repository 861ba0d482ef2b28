import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { mergeRun } from '../../../src/merge/merge.ts';
import type { ImageRecord } from '../../../src/run/record.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { collect } from '../storage/collect.ts';
import { commit, failed, labelled, MANIFEST, plan } from './run-fixture.ts';

const CONTEXT = {
  manifest: MANIFEST,
  options: { scoreThreshold: 0.05, labelThreshold: 0.5 },
  keyPrefix: '',
  generation: 0,
};
const { masks: _, ...BOX_MANIFEST } = MANIFEST;

const SHARDS: readonly (readonly ImageRecord[])[] = [
  [labelled(1, 'a/ü.png', [0.9, 0.5, 0.3]), failed(2, '=b.png', 'ends early, "half-way"')],
  [labelled(3, 'c.png', []), labelled(4, 'a/d.png', [0.7])],
  [labelled(5, 'e.png', [0.04])],
];

// The formats as the COCO site defines them, with what Millrace adds.
const rle = z.strictObject({
  size: z.tuple([z.int().positive(), z.int().positive()]),
  counts: z.string().min(1),
});
const bbox = z.tuple([z.number(), z.number(), z.number().nonnegative(), z.number().nonnegative()]);
const score = z.number().min(0).max(1);
const ids = { image_id: z.int().positive(), category_id: z.int().positive() };
const cocoDataset = z.strictObject({
  info: z.strictObject({ description: z.string(), contributor: z.string() }),
  licenses: z.array(z.never()),
  images: z.array(
    z.strictObject({
      id: z.int().positive(),
      width: z.int().positive(),
      height: z.int().positive(),
      file_name: z.string().min(1),
    }),
  ),
  annotations: z.array(
    z.strictObject({
      id: z.int().positive(),
      ...ids,
      bbox,
      area: z.number().nonnegative(),
      segmentation: z.union([rle, z.tuple([])]),
      iscrowd: z.literal(0),
      score,
    }),
  ),
  categories: z.array(
    z.strictObject({ id: z.int().positive(), name: z.string().min(1), supercategory: z.string() }),
  ),
});
const bboxResults = z.array(z.strictObject({ ...ids, bbox, score }));
const segmResults = z.array(z.strictObject({ ...ids, segmentation: rle, score }));

const readText = async (output: Storage, key: string): Promise<string> =>
  Buffer.from(await output.get(key)).toString();
const read = async <T>(output: Storage, key: string, schema: z.ZodType<T>): Promise<T> =>
  schema.parse(JSON.parse(await readText(output, key)));

async function committed(shards = SHARDS): Promise<Storage> {
  const output = openMemoryStorage();
  await plan(output, shards);
  // A worker finishes when it does: the order of commits is none.
  for (const shard of [...shards.keys()].toReversed()) await commit(output, shard, 0, shards[shard] ?? []);
  return output;
}

const finalKeys = async (output: Storage): Promise<string[]> =>
  (await collect(output.list('')))
    .map(({ key }) => key)
    .filter((key) => !/^(plan\.json|records\/|commits\/)/.test(key));

/** The message with which a merge is refused. */
async function refusal(output: Storage, code = 'RUN_CORRUPT'): Promise<string> {
  const error: unknown = await mergeRun(output, CONTEXT).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code });
  expect(await finalKeys(output)).not.toContain('_SUCCESS');
  return error instanceof Error ? error.message : '';
}

describe('mergeRun', () => {
  it('writes the dataset: images that did not fail, annotations from the label threshold, categories', async () => {
    const output = await committed();
    await mergeRun(output, CONTEXT);
    const dataset = await read(output, 'annotations.json', cocoDataset);
    expect(dataset.images.map(({ id, file_name }) => [id, file_name])).toEqual([
      [1, 'a/ü.png'],
      [3, 'c.png'],
      [4, 'a/d.png'],
      [5, 'e.png'],
    ]);
    expect(dataset.annotations.map((a) => [a.id, a.image_id, a.category_id, a.score])).toEqual([
      [1, 1, 7, 0.9],
      [2, 1, 3, 0.5],
      [3, 4, 7, 0.7],
    ]);
    expect(dataset.annotations[0]).toMatchObject({
      bbox: [1, 1, 1, 2],
      area: 2,
      segmentation: { size: [3, 4], counts: '426' },
    });
    expect(dataset.categories).toEqual([
      { id: 7, name: 'card', supercategory: 'document' },
      { id: 3, name: 'pen', supercategory: '' },
    ]);
  });

  it('writes results from the score threshold, masks without boxes', async () => {
    const output = await committed();
    await mergeRun(output, CONTEXT);
    const boxes = await read(output, 'results/bbox.json', bboxResults);
    const masks = await read(output, 'results/segm.json', segmResults);
    const rows = [
      [1, 0.9],
      [1, 0.5],
      [1, 0.3],
      [4, 0.7],
    ];
    expect(boxes.map((result) => [result.image_id, result.score])).toEqual(rows);
    expect(masks.map((result) => [result.image_id, result.score])).toEqual(rows);
  });

  it('writes no masks for a model that makes none', async () => {
    const output = await committed([[labelled(1, 'a.png', [0.9], false)]]);
    await mergeRun(output, { ...CONTEXT, manifest: BOX_MANIFEST });
    expect(await finalKeys(output)).toEqual([
      '_SUCCESS',
      'annotations.json',
      'failures.csv',
      'results/bbox.json',
    ]);
    const dataset = await read(output, 'annotations.json', cocoDataset);
    expect(dataset.annotations).toMatchObject([{ segmentation: [], area: 2 }]);
  });

  it('lists what failed, with where it came from', async () => {
    const output = await committed();
    await mergeRun(output, CONTEXT);
    expect(await readText(output, 'failures.csv')).toBe(
      `key,failure_class,message\n'=b.png,truncated,"ends early, ""half-way"""\n`,
    );
    await mergeRun(output, { ...CONTEXT, keyPrefix: 'bucket/prefix/' });
    expect(await readText(output, 'failures.csv')).toContain('\nbucket/prefix/=b.png,');
  });

  it('counts, and says so last', async () => {
    const memory = await committed();
    const written: string[] = [];
    const output: Storage = {
      ...memory,
      async put(key, body) {
        await memory.put(key, body);
        written.push(key);
      },
    };
    const success = await mergeRun(output, CONTEXT);
    expect(success).toMatchObject({
      images: 5,
      labelled: 4,
      failed: 1,
      failures: { truncated: 1 },
      annotations: 3,
    });
    expect(JSON.parse(await readText(output, '_SUCCESS'))).toEqual(success);
    expect(written.at(-1)).toBe('_SUCCESS');
    expect(written).toHaveLength(5);
  });

  it('asks once more before it says that the run is complete', async () => {
    const output = await committed();
    const confirm = async (): Promise<void> => {
      expect(await finalKeys(output)).toContain('annotations.json');
      throw new MillraceError('RUN_CANCELLED', 'somebody cancelled it');
    };
    await expect(mergeRun(output, { ...CONTEXT, confirm })).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await finalKeys(output)).not.toContain('_SUCCESS');
  });

  it('takes the highest generation of a shard, also beyond nine', async () => {
    const output = await committed();
    for (let generation = 1; generation <= 10; generation++)
      await commit(output, 0, generation, [
        labelled(1, 'a/ü.png', []),
        labelled(2, '=b.png', generation === 10 ? [0.8] : []),
      ]);
    expect(await mergeRun(output, CONTEXT)).toMatchObject({
      images: 5,
      labelled: 5,
      failed: 0,
      failures: {},
      annotations: 2,
    });
  });

  it('writes the same bytes again, and twice at once', async () => {
    const output = await committed();
    const snapshot = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        await Promise.all(
          (await finalKeys(output)).map(async (key) => [key, await readText(output, key)] as const),
        ),
      );
    await mergeRun(output, CONTEXT);
    const first = await snapshot();
    expect(Object.keys(first)).toHaveLength(5);
    await Promise.all([mergeRun(output, CONTEXT), mergeRun(output, CONTEXT)]);
    expect(await snapshot()).toEqual(first);
  });

  it('merges a run without a detection or an image that worked', async () => {
    const output = await committed([[failed(1, 'a.png', 'x')]]);
    expect(await mergeRun(output, CONTEXT)).toMatchObject({
      images: 1,
      labelled: 0,
      failed: 1,
      annotations: 0,
    });
    expect(await read(output, 'annotations.json', cocoDataset)).toMatchObject({
      images: [],
      annotations: [],
    });
    expect(await readText(output, 'results/bbox.json')).toBe('[]\n');
    expect(await readText(output, 'results/segm.json')).toBe('[]\n');
  });

  it('compares scores as the float32 that they are', async () => {
    const output = await committed([[labelled(1, 'a.png', [Math.fround(0.7)])]]);
    const options = { scoreThreshold: 0.05, labelThreshold: 0.7 };
    expect(await mergeRun(output, { ...CONTEXT, options })).toMatchObject({ annotations: 1 });
  });
});

describe('mergeRun refuses', () => {
  it('a run without a plan', async () => {
    expect(await refusal(openMemoryStorage(), 'RUN_INCOMPLETE')).toContain('no plan.json yet');
  });

  it('while shards have no commit, and writes nothing', async () => {
    const output = openMemoryStorage();
    await plan(output, SHARDS);
    await commit(output, 1, 0, SHARDS[1] ?? []);
    expect(await refusal(output, 'RUN_INCOMPLETE')).toContain(
      '2 of 3 shards have no commit yet, the first is shard 0',
    );
    expect(await finalKeys(output)).toEqual([]);
  });

  it('a plan that does not add up', async () => {
    const output = await committed();
    const document: unknown = JSON.parse(await readText(output, 'plan.json'));
    await output.put(
      'plan.json',
      Buffer.from(JSON.stringify({ ...z.looseObject({}).parse(document), images: 6 })),
    );
    expect(await refusal(output)).toContain('counts 6 images, and its parts have 5');
  });

  it('a commit beyond the plan', async () => {
    const output = await committed();
    await commit(output, 3, 0, [labelled(6, 'f.png', [])]);
    expect(await refusal(output)).toContain('belongs to no shard');
  });

  it('what is no commit among the commits', async () => {
    const output = await committed();
    await output.put('commits/0.0.json', Buffer.from('{}'));
    expect(await refusal(output)).toContain('commits/0.0.json is not the name of a commit');
  });

  it('a commit of another shard or of another size', async () => {
    const output = await committed();
    await commit(output, 2, 1, SHARDS[2] ?? [], { shard: 1 });
    expect(await refusal(output)).toContain('commits/000000002.1.json is of shard 1');
    await commit(output, 2, 1, [], {});
    expect(await refusal(output)).toContain('with 0 images; the plan has 1 images');
  });

  it('records that are not those of the commit, and leaves no file made of them', async () => {
    const output = await committed();
    const { records } = await commit(output, 1, 0, SHARDS[1] ?? []);
    await output.put(records.key, Buffer.from(`${JSON.stringify(labelled(3, 'other.png', []))}\n`));
    expect(await refusal(output)).toContain('SHA-256 is another');
    expect(await finalKeys(output)).toEqual([]);
  });

  it('fewer records than images', async () => {
    const output = await committed();
    await commit(output, 1, 1, [labelled(3, 'c.png', [])], { images: 2 });
    expect(await refusal(output)).toContain('has 1 records, but its shard has 2 images');
  });

  it('a line that is no record, by its number', async () => {
    const output = await committed();
    const record = { ...labelled(5, 'e.png', []), width: 'wide' };
    const { records } = await commit(output, 2, 0, SHARDS[2] ?? []);
    await output.put(records.key, Buffer.from(`${JSON.stringify(record)}\n`));
    expect(await refusal(output)).toContain(`${records.key}, line 1, is not an image's record`);
  });

  it('a category that the model does not have, and a missing mask', async () => {
    const stranger = labelled(1, 'a.png', [0.9]);
    const detections = stranger.detections.map((detection) => ({ ...detection, category_id: 99 }));
    expect(await refusal(await committed([[{ ...stranger, detections }]]))).toContain('category 99');
    expect(await refusal(await committed([[labelled(1, 'a.png', [0.9], false)]]))).toContain('has no mask');
  });
});

describe('mergeRun hands on', () => {
  it("the storage's error, and leaves no file in hand", async () => {
    const memory = await committed();
    const output: Storage = {
      ...memory,
      async put(key, body) {
        if (key === 'results/segm.json') throw new Error('disk full');
        await memory.put(key, body);
      },
    };
    await expect(mergeRun(output, CONTEXT)).rejects.toThrow('disk full');
    const keys = await finalKeys(output);
    expect(keys).not.toContain('annotations.json');
    expect(keys).not.toContain('_SUCCESS');
  });
});
