import { describe, expect, it } from 'vitest';
import { createRun, findRun } from '../../../src/plan/open-run.ts';
import type { RunDocument } from '../../../src/run/documents.ts';
import { RUN_KEY } from '../../../src/run/layout.ts';
import { sha256Hex } from '../../../src/runtime/sha256.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import { RUN } from '../run/documents-fixture.ts';

const digestOf = (model: object): string => sha256Hex(JSON.stringify({ ...model, sha256: undefined }));

const RENAMED = { ...RUN.model, name: 'other' };

const withOptions = (change: Partial<RunDocument['options']>): RunDocument => ({
  ...RUN,
  options: { ...RUN.options, ...change },
});

describe('createRun', () => {
  it('refuses a store that takes conditional writes and ignores the condition', async () => {
    const careless = { ...openMemoryStorage(), createIfAbsent: async () => true };
    await expect(createRun(careless, RUN)).rejects.toMatchObject({ code: 'STORAGE_NOT_SUPPORTED' });
  });
});

describe('findRun', () => {
  it('finds none in an empty output', async () => {
    expect(await findRun(openMemoryStorage(), RUN)).toBeUndefined();
  });

  it('finds the run that is there, also for other versions and settings', async () => {
    const output = openMemoryStorage();
    await createRun(output, RUN);
    expect(await findRun(output, RUN)).toEqual(RUN);
    const later: RunDocument = {
      ...RUN,
      versions: { ...RUN.versions, millrace: '9' },
      config: { threads: 8 },
    };
    expect(await findRun(output, later)).toEqual(RUN);
  });

  it.each<[string, RunDocument]>([
    ['source: memory:// there, s3://photos/ now', { ...RUN, source: 's3://photos/' }],
    [
      `model (SHA-256 of the ONNX file): ${'a'.repeat(64)} there, ${'c'.repeat(64)} now`,
      { ...RUN, model: { ...RUN.model, sha256: 'c'.repeat(64) } },
    ],
    [
      `model.json (SHA-256): ${digestOf(RUN.model)} there, ${digestOf(RENAMED)} now`,
      { ...RUN, model: RENAMED },
    ],
    ['--score-threshold: 0.05 there, 0.3 now', withOptions({ scoreThreshold: 0.3 })],
    ['--label-threshold: 0.5 there, 0.9 now', withOptions({ labelThreshold: 0.9 })],
    ['--shard-size: auto there, 8 now', withOptions({ shardSize: 8 })],
    ['--annotate: true there, false now', withOptions({ annotate: false })],
    ['maxImageBytes: 1000000 there, 9 now', withOptions({ maxImageBytes: 9 })],
    ['maxImagePixels: 1000000 there, 9 now', withOptions({ maxImagePixels: 9 })],
  ])('refuses another run: %s', async (difference, wanted) => {
    const output = openMemoryStorage();
    await createRun(output, RUN);
    await expect(findRun(output, wanted)).rejects.toMatchObject({
      code: 'OUTPUT_HOLDS_ANOTHER_RUN',
      message: [
        'memory:// holds another run:',
        `  ${difference}`,
        "Choose another --output, or repeat that run's own source, model and options to resume it.",
      ].join('\n'),
    });
  });

  it('names every difference', async () => {
    const output = openMemoryStorage();
    await createRun(output, RUN);
    const wanted = { ...withOptions({ annotate: false, shardSize: 8 }), source: 's3://photos/' };
    await expect(findRun(output, wanted)).rejects.toThrow(/source: .*\n.*--shard-size: .*\n.*--annotate: /);
  });

  it("refuses somebody else's folder", async () => {
    const output = openMemoryStorage();
    await output.put('holiday.jpg', Buffer.from('x'));
    await expect(findRun(output, RUN)).rejects.toMatchObject({
      code: 'OUTPUT_HOLDS_ANOTHER_RUN',
      message: expect.stringContaining('is not empty (it holds holiday.jpg, among others)'),
    });
  });

  it('refuses a run.json that is none', async () => {
    const output = openMemoryStorage();
    await output.put(RUN_KEY, Buffer.from('{"schema": 2}'));
    await expect(findRun(output, RUN)).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringContaining('run.json is damaged (schema: '),
    });
  });
});

describe('createRun', () => {
  it('lets two that want the same have the same run', async () => {
    const output = openMemoryStorage();
    const same = { ...RUN, config: { threads: 8 } };
    expect(await Promise.all([createRun(output, RUN), createRun(output, same)])).toEqual([RUN, RUN]);
  });

  it('lets the first of two that want different runs have the output', async () => {
    const output = openMemoryStorage();
    const [first, second] = await Promise.allSettled([
      createRun(output, RUN),
      createRun(output, withOptions({ annotate: false })),
    ]);
    expect(first).toEqual({ status: 'fulfilled', value: RUN });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'OUTPUT_HOLDS_ANOTHER_RUN' } });
    expect(await findRun(output, RUN)).toEqual(RUN);
  });
});
