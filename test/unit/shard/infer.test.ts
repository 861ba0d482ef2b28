import { describe, expect, it } from 'vitest';
import type { NetworkBatch } from '../../../src/model/contracts/contract.ts';
import { millrace } from '../../../src/model/contracts/millrace.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Tensors } from '../../../src/model/session.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { ImageFailure } from '../../../src/runtime/image-failure.ts';
import { BatchMemory } from '../../../src/shard/batch-memory.ts';
import {
  inferBatch,
  type InferredBatch,
  type InferenceResult,
  type PrepareBatch,
} from '../../../src/shard/infer.ts';
import { UNOBSERVED } from '../../../src/shard/stage-observer.ts';
import { manifestOf } from '../model/manifest-fixture.ts';
import { fakeSession, float32, int64 } from '../model/tensors.ts';

const BLANK = 0;
/** No grey level that any graph here minds. */
const GOOD = [10, 20, 30];
const BAD = 66;
const WORSE = 77;

/** A model of 1 x 1 images that finds one thing in each but a blank one: its grey level, as label. */
function modelOf(
  refuses: (grays: readonly number[]) => boolean | Error,
  score = 0.9,
): Model & { fed: number[][]; recycled: number } {
  const fed: number[][] = [];
  const graph = ({ images }: Tensors): Tensors => {
    const [batchSize = 0, height = 0, width = 0] = images!.dims;
    const grays = Array.from({ length: batchSize }, (_, n) => Number(images!.data[n * height * width * 3]));
    fed.push(grays);
    const refused = refuses(grays);
    if (refused instanceof Error) throw refused;
    if (refused) throw new Error('out of range');
    return {
      num_detections: int64([batchSize], ...grays.map((gray) => (gray === BLANK ? 0 : 1))),
      boxes: float32([batchSize, 1, 4], ...grays.flatMap(() => [0, 0, 1, 1])),
      labels: int64([batchSize, 1], ...grays),
      scores: float32([batchSize, 1], ...grays.map(() => score)),
    };
  };
  const manifest = manifestOf({ task: 'object-detection', masks: undefined });
  const session = fakeSession(graph);
  return {
    package: { folder: 'cards', manifest, modelPath: 'cards/model.onnx' },
    contract: millrace,
    session,
    recycled: 0,
    async recycle() {
      this.recycled += 1;
    },
    close: () => session.close(),
    fed,
  };
}

/** Images of one pixel, of these grey levels. */
const prepareOf =
  (grays: readonly number[]): PrepareBatch =>
  async (positions): Promise<NetworkBatch> => ({
    pixels: Uint8Array.from(
      positions.flatMap((position) => Array.from({ length: 3 }, () => grays[position]!)),
    ),
    batchSize: positions.length,
    padded: { height: 1, width: 1 },
    imageSizes: positions.map(() => ({ height: 1, width: 1 })),
  });

const PADDED = { height: 1, width: 1 };

const inferWhole = (
  model: Model,
  grays: readonly number[],
  options: { memory?: BatchMemory; prepare?: PrepareBatch; onHalved?: () => void } = {},
): Promise<InferredBatch> => {
  const { memory = new BatchMemory(), prepare = prepareOf(grays), onHalved = () => undefined } = options;
  const observer = { ...UNOBSERVED, memoryHalved: onHalved };
  const context = { model, memory, scoreThreshold: 0.5, observer };
  return inferBatch(context, { images: grays.length, padded: PADDED, prepare });
};

const infer = async (model: Model, grays: readonly number[]): Promise<readonly InferenceResult[]> =>
  (await inferWhole(model, grays)).results;

/** The labels found, or the failure. */
const describeResult = (result: InferenceResult): number[] | string =>
  result instanceof ImageFailure ? `${result.failureClass}: ${result.message}` : [...result.labels];

const ON_BAD = (grays: readonly number[]): boolean => grays.includes(BAD);
const BLAMED = 'inference_failed: the model fails on this image, and not on a blank one';

describe('inferBatch', () => {
  it('runs a batch once', async () => {
    const model = modelOf(() => false);
    expect((await infer(model, GOOD)).map(describeResult)).toEqual([[10], [20], [30]]);
    expect(model.fed).toEqual([GOOD]);
  });

  it('drops what is below the score threshold', async () => {
    const results = await infer(
      modelOf(() => false, 0.4),
      GOOD,
    );
    expect(results.map(describeResult)).toEqual([[], [], []]);
  });

  it('blames the image that fails alone, and keeps the results of the others', async () => {
    const model = modelOf(ON_BAD);
    const results = await infer(model, [10, BAD, 30]);
    expect(results.map(describeResult)).toEqual([[10], BLAMED, [30]]);
    expect(model.fed).toEqual([[10, BAD, 30], [10, BAD], [10], [BAD], [BLANK], [30]]);
  });

  it('runs what passes beside it in parts as large as can be', async () => {
    const model = modelOf(ON_BAD);
    const { splitTo } = await inferWhole(model, [1, 2, 3, 4, 5, 6, 7, BAD]);
    expect(model.fed).toEqual([
      [1, 2, 3, 4, 5, 6, 7, BAD],
      [1, 2, 3, 4],
      [5, 6, 7, BAD],
      [5, 6],
      [7, BAD],
      [7],
      [BAD],
      [BLANK],
    ]);
    expect(splitTo).toBe(1);
  });

  it('blames each of several', async () => {
    const model = modelOf((grays) => grays.includes(BAD) || grays.includes(WORSE));
    expect((await infer(model, [WORSE, 10, BAD])).map(describeResult)).toEqual([BLAMED, [10], BLAMED]);
  });

  it('blames no one where each passes alone', async () => {
    const model = modelOf((grays) => grays.length > 1);
    expect((await infer(model, GOOD)).map(describeResult)).toEqual([[10], [20], [30]]);
    expect(model.fed).toEqual([GOOD, [10, 20], [10], [20], [30]]);
  });

  it('does not run a batch of one twice before it blames', async () => {
    const model = modelOf(ON_BAD);
    const [result] = await infer(model, [BAD]);
    expect(describeResult(result!)).toBe(BLAMED);
    expect(result).toMatchObject({ cause: { message: 'out of range' } });
    expect(model.fed).toEqual([[BAD], [BLANK]]);
  });

  it.each([{ grays: GOOD }, { grays: [10] }])(
    'throws where a blank batch fails too: $grays',
    async ({ grays }) => {
      await expect(
        infer(
          modelOf(() => true),
          grays,
        ),
      ).rejects.toMatchObject({
        code: 'INFERENCE_FAILED',
        retry: 'backoff',
        message: expect.stringMatching(/does not even run a blank image any more: .*out of range/),
      });
    },
  );
});

describe('what preparing a batch throws', () => {
  const trouble = new Error('the pool is closed');

  it('is thrown as it is, and nothing runs', async () => {
    const model = modelOf(() => false);
    await expect(inferWhole(model, GOOD, { prepare: () => Promise.reject(trouble) })).rejects.toBe(trouble);
    expect(model.fed).toEqual([]);
  });

  it('is blamed on no image when each is run alone', async () => {
    const prepare: PrepareBatch = (positions) =>
      positions.length > 1 ? prepareOf([10, BAD])(positions) : Promise.reject(trouble);
    await expect(inferWhole(modelOf(ON_BAD), [10, BAD], { prepare })).rejects.toBe(trouble);
  });
});

describe('a session without memory', () => {
  const LACK = new MillraceError('INFERENCE_OUT_OF_MEMORY', 'ONNX Runtime: Failed to allocate memory');
  const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];
  const holding = (images: number) => (grays: readonly number[]) => grays.length > images && LACK;

  it('gets half of the batch, and half again', async () => {
    const model = modelOf(holding(2));
    let halvings = 0;
    const { results, splitTo } = await inferWhole(model, EIGHT, { onHalved: () => (halvings += 1) });
    expect(results.map(describeResult)).toEqual(EIGHT.map((gray) => [gray]));
    expect(model.fed).toEqual([EIGHT, [1, 2, 3, 4], [1, 2], [3, 4], [5, 6], [7, 8]]);
    expect({ halvings, splitTo, recycled: model.recycled }).toEqual({ halvings: 2, splitTo: 2, recycled: 0 });
  });

  it('gets smaller batches of that shape from then on, and of no other', async () => {
    const model = modelOf(holding(2));
    const memory = new BatchMemory();
    await inferWhole(model, EIGHT, { memory });
    model.fed.length = 0;
    await inferWhole(model, GOOD, { memory });
    expect(model.fed).toEqual([[10, 20], [30]]);
    expect(memory.maxImages({ height: 1, width: 2 })).toBe(Infinity);
  });

  it('is opened anew where one image does not fit, which may then', async () => {
    const model = modelOf(() => model.recycled === 0 && LACK);
    expect((await infer(model, [10])).map(describeResult)).toEqual([[10]]);
    expect(model.fed).toEqual([[10], [10], [10], [10]]);
    expect(model.recycled).toBe(1);
  });

  it('is to blame where it does not even hold a blank image', async () => {
    await expect(
      infer(
        modelOf(() => LACK),
        [10],
      ),
    ).rejects.toMatchObject({ code: 'INFERENCE_FAILED', retry: 'backoff' });
  });

  it('fails an image that does not fit into a new one either, and is opened anew once for each shape', async () => {
    const model = modelOf((grays) => grays.includes(BAD) && LACK);
    const memory = new BatchMemory();
    const failure =
      'inference_failed: the memory does not hold the model on this image alone, and does on a blank one';
    for (const grays of [[BAD, 20], [BAD]]) {
      const [first] = (await inferWhole(model, grays, { memory })).results;
      expect(describeResult(first!)).toBe(failure);
    }
    expect(model.recycled).toBe(1);
    expect(model.fed.filter(([gray]) => gray === BAD)).toHaveLength(1 + 4 + 1);
  });
});

describe('a session that is gone', () => {
  it.each(['SESSION_LOST', 'INFERENCE_TIMEOUT', 'PROCESS_UNUSABLE'] as const)(
    'is told as it is, and no image is blamed: %s',
    async (code) => {
      const gone = new MillraceError(code, 'the inference thread is gone');
      const model = modelOf(() => gone);
      await expect(infer(model, GOOD)).rejects.toBe(gone);
      expect(model.fed).toEqual([GOOD]);
    },
  );

  it('is told as it is when it goes while a blank image runs', async () => {
    const gone = new MillraceError('PROCESS_UNUSABLE', 'CUDA error');
    const model = modelOf((grays) => (grays[0] === BLANK ? gone : grays.includes(BAD)));
    await expect(infer(model, [10, BAD])).rejects.toBe(gone);
  });
});
