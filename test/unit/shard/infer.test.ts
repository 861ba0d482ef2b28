import { describe, expect, it } from 'vitest';
import type { NetworkBatch } from '../../../src/model/contracts/contract.ts';
import { millrace } from '../../../src/model/contracts/millrace.ts';
import type { Model } from '../../../src/model/model.ts';
import { parseManifest } from '../../../src/model/package.ts';
import type { Tensors } from '../../../src/model/session.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { ImageFailure } from '../../../src/runtime/image-failure.ts';
import { inferBatch } from '../../../src/shard/infer.ts';

const SIDE = 2;
const POISON = 255;

/** A model that finds one box in each image, scored by its first pixel, and throws on batches with a poison pixel. */
function fakeModel(options: { broken?: boolean } = {}): Model {
  const manifest = parseManifest(
    JSON.stringify({
      schema: 1,
      name: 'fake',
      task: 'object-detection',
      file: 'fake.onnx',
      sha256: '0'.repeat(64),
      contract: 'millrace',
      input: { layout: 'NHWC', dtype: 'uint8', resize: { policy: 'none' } },
      batch: { max: 4 },
      classes: [{ label: 1, id: 1, name: 'thing' }],
    }),
    'model.json',
  );
  const run = async (feeds: Tensors): Promise<Tensors> => {
    const { data, dims } = feeds.images!;
    if (!(data instanceof Uint8Array)) throw new TypeError('uint8 expected');
    if (options.broken || data.includes(POISON)) throw new MillraceError('INFERENCE_FAILED', 'poison');
    const [batch = 0, height = 0, width = 0] = dims;
    const first = Array.from({ length: batch }, (_, image) => data[image * height * width * 3]! / 100);
    return {
      num_detections: { dtype: 'int64', dims: [batch], data: BigInt64Array.from(first, () => 1n) },
      boxes: { dtype: 'float32', dims: [batch, 1, 4], data: new Float32Array(batch * 4) },
      labels: { dtype: 'int64', dims: [batch, 1], data: BigInt64Array.from(first, () => 1n) },
      scores: { dtype: 'float32', dims: [batch, 1], data: Float32Array.from(first) },
    };
  };
  const session = { signature: { inputs: [], outputs: [] }, run, close: async () => undefined };
  const modelPackage = { folder: '', manifest, manifestSha256: '', modelPath: '' };
  return { package: modelPackage, contract: millrace, session, close: session.close };
}

/** Images of one grey level each. */
const preparing =
  (levels: readonly number[]) =>
  async (positions: readonly number[]): Promise<NetworkBatch> => {
    const padded = { height: SIDE, width: SIDE };
    const pixels = new Uint8Array(positions.length * SIDE * SIDE * 3);
    positions.forEach((position, index) =>
      pixels.fill(levels[position]!, index * SIDE * SIDE * 3, (index + 1) * SIDE * SIDE * 3),
    );
    return { pixels, batchSize: positions.length, padded, imageSizes: positions.map(() => padded) };
  };

const scoresOf = (results: Awaited<ReturnType<typeof inferBatch>>) =>
  results.map((result) =>
    result instanceof ImageFailure ? result.failureClass : Math.round(result.scores[0]! * 100),
  );

describe('inferBatch', () => {
  it('gives each image its own result, in order', async () => {
    expect(scoresOf(await inferBatch(fakeModel(), 3, preparing([10, 20, 30]), 0))).toEqual([10, 20, 30]);
  });

  it('blames only the image that fails alone', async () => {
    const results = await inferBatch(fakeModel(), 3, preparing([10, POISON, 30]), 0);
    expect(scoresOf(results)).toEqual([10, 'inference_failed', 30]);
  });

  it('blames a single image only after a blank batch has passed', async () => {
    expect(scoresOf(await inferBatch(fakeModel(), 1, preparing([POISON]), 0))).toEqual(['inference_failed']);
    await expect(inferBatch(fakeModel({ broken: true }), 1, preparing([10]), 0)).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
    });
  });

  it('never blames an image for what preparing it threw', async () => {
    const prepare = () => Promise.reject(new Error('the pool is gone'));
    await expect(inferBatch(fakeModel(), 2, prepare, 0)).rejects.toThrow('the pool is gone');
  });
});
