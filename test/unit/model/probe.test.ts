import { describe, expect, it } from 'vitest';
import { millrace } from '../../../src/model/contracts/millrace.ts';
import { torchvision } from '../../../src/model/contracts/torchvision.ts';
import type { ModelManifest } from '../../../src/model/manifest.ts';
import { probeModel, runBlankBatch } from '../../../src/model/probe.ts';
import type { Session, Tensors } from '../../../src/model/session.ts';
import { MANIFEST_JSON, manifestOf, torchvisionManifest } from './manifest-fixture.ts';
import { fakeSession, float32, info, int64 } from './tensors.ts';

const { input } = MANIFEST_JSON;
const detector = (change: object = {}): ModelManifest =>
  manifestOf({ task: 'object-detection', masks: undefined, ...change });

/** What a detector returns for so many images in which there is nothing. */
const nothing = (images: number): Tensors => ({
  num_detections: int64([images], ...Array.from({ length: images }, () => 0)),
  boxes: float32([images, 0, 4]),
  labels: int64([images, 0]),
  scores: float32([images, 0]),
});

/** A detector that finds nothing, and notes the shapes that it is fed. */
function detectorSession(answer: (images: number) => Tensors = nothing): { session: Session; fed: string[] } {
  const fed: string[] = [];
  const session = fakeSession(({ images, image_sizes }) => {
    expect(images!.data.every((value) => Number(value) === 0)).toBe(true);
    fed.push(`${images!.dtype} ${images!.dims.join('x')} of ${[...image_sizes!.data].join(' ')}`);
    return answer(images!.dims[0] ?? 0);
  });
  return { session, fed };
}

describe('probeModel', () => {
  it('runs blank batches of one and of the maximum', async () => {
    const { session, fed } = detectorSession();
    await probeModel(detector({ batch: { max: 3 } }), millrace, session);
    expect(fed).toEqual(['uint8 1x128x128x3 of 128 128', 'uint8 3x128x128x3 of 128 128 128 128 128 128']);
  });

  it('runs one batch where one is the maximum', async () => {
    const { session, fed } = detectorSession();
    await probeModel(detector({ batch: { max: 1 } }), millrace, session);
    expect(fed).toHaveLength(1);
  });

  it.each([
    [{ pad: { divisor: 100 } }, 'uint8 1x200x200x3 of 200 200'],
    [
      {
        pad: {
          ladder: [
            [320, 480],
            [640, 960],
          ],
        },
      },
      'uint8 1x320x480x3 of 320 480',
    ],
    [{ shape: { height: 64, width: 96 } }, 'uint8 1x64x96x3 of 64 96'],
    [{ dtype: 'float32' }, 'float32 1x128x128x3 of 128 128'],
  ])('feeds what the graph takes: %j', async (change, expected) => {
    const { session, fed } = detectorSession();
    await probeModel(detector({ batch: { max: 1 }, input: { ...input, ...change } }), millrace, session);
    expect(fed).toEqual([expected]);
  });

  it('says which batch a graph refuses, why, and what to do', async () => {
    const { session } = detectorSession((images) => {
      if (images > 1) throw new Error('Reshape: 1 != 3');
      return nothing(images);
    });
    await expect(probeModel(detector({ batch: { max: 3 } }), millrace, session)).rejects.toMatchObject({
      code: 'CONTRACT_MISMATCH',
      message:
        'the model does not run a blank batch of 3 (128x128 px): Reshape: 1 != 3. ' +
        'If it runs smaller batches, lower "batch.max" in model.json.',
      cause: { message: 'Reshape: 1 != 3' },
    });
  });

  it('refuses a graph that answers for another number of images', async () => {
    const { session } = detectorSession(() => nothing(1));
    await expect(probeModel(detector({ batch: { max: 3 } }), millrace, session)).rejects.toMatchObject({
      code: 'CONTRACT_MISMATCH',
      message: expect.stringContaining('blank batch of 3'),
    });
  });

  it('refuses a graph whose outputs have other types than it declares', async () => {
    const { session } = detectorSession((images) => ({ ...nothing(images), scores: int64([images, 0]) }));
    await expect(probeModel(detector(), millrace, session)).rejects.toMatchObject({
      code: 'CONTRACT_MISMATCH',
      message: expect.stringContaining('output "scores" is int64, expected float32'),
    });
  });
});

describe('runBlankBatch', () => {
  it('feeds one image to a graph of one', async () => {
    const fed: unknown[] = [];
    const signature = { inputs: [info('images.1', 'float32', 1, 3, 'h', 'w')], outputs: [] };
    const session = fakeSession((feeds) => {
      fed.push(feeds['images.1']!.dims);
      return { boxes: float32([0, 4]), labels: int64([0]), scores: float32([0]) };
    }, signature);
    await runBlankBatch(torchvisionManifest(), torchvision, session, 1);
    expect(fed).toEqual([[1, 3, 128, 128]]);
  });
});
