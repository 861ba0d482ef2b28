import { describe, expect, it } from 'vitest';
import type { NetworkBatch } from '../../../src/model/contracts/contract.ts';
import { millrace } from '../../../src/model/contracts/millrace.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Tensors } from '../../../src/model/session.ts';
import { ImageFailure } from '../../../src/runtime/image-failure.ts';
import { inferBatch, type InferenceResult, type PrepareBatch } from '../../../src/shard/infer.ts';
import { manifestOf } from '../model/manifest-fixture.ts';
import { fakeSession, float32, int64 } from '../model/tensors.ts';

const BLANK = 0;
/** No grey level that any graph here minds. */
const GOOD = [10, 20, 30];
const BAD = 66;
const WORSE = 77;

/** A model of 1 x 1 images that finds one thing in each but a blank one: its grey level, as label. */
function modelOf(refuses: (grays: readonly number[]) => boolean, score = 0.9): Model & { fed: number[][] } {
  const fed: number[][] = [];
  const graph = ({ images }: Tensors): Tensors => {
    const [batchSize = 0, height = 0, width = 0] = images!.dims;
    const grays = Array.from({ length: batchSize }, (_, n) => Number(images!.data[n * height * width * 3]));
    fed.push(grays);
    if (refuses(grays)) throw new Error('out of range');
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

const infer = (model: Model, grays: readonly number[], scoreThreshold = 0.5): Promise<InferenceResult[]> =>
  inferBatch(model, grays.length, prepareOf(grays), scoreThreshold);

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
    expect(model.fed).toEqual([[10, BAD, 30], [10], [BAD], [BLANK], [30]]);
  });

  it('blames each of several', async () => {
    const model = modelOf((grays) => grays.includes(BAD) || grays.includes(WORSE));
    expect((await infer(model, [WORSE, 10, BAD])).map(describeResult)).toEqual([BLAMED, [10], BLAMED]);
  });

  it('blames no one where each passes alone', async () => {
    const model = modelOf((grays) => grays.length > 1);
    expect((await infer(model, GOOD)).map(describeResult)).toEqual([[10], [20], [30]]);
    expect(model.fed).toEqual([GOOD, [10], [20], [30]]);
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
    await expect(inferBatch(model, 3, () => Promise.reject(trouble), 0.5)).rejects.toBe(trouble);
    expect(model.fed).toEqual([]);
  });

  it('is blamed on no image when each is run alone', async () => {
    const prepare: PrepareBatch = (positions) =>
      positions.length > 1 ? prepareOf([10, BAD])(positions) : Promise.reject(trouble);
    await expect(inferBatch(modelOf(ON_BAD), 2, prepare, 0.5)).rejects.toBe(trouble);
  });
});
