import { describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/model/manifest.ts';
import { assertSupported } from '../../../src/model/supported.ts';
import { manifestOf, MANIFEST_JSON, torchvisionManifest } from './manifest-fixture.ts';

const { input } = MANIFEST_JSON;
const fixed = (filter: string) => ({ policy: 'fixed', height: 8, width: 8, filter });
const floats = { layout: 'NCHW', dtype: 'float32', resize: { policy: 'none' } };

describe('assertSupported', () => {
  it.each<[string, ModelManifest]>([
    ['bytes as they are', manifestOf()],
    ['the filter that there is', manifestOf({ input: { ...input, resize: fixed('torch-bilinear') } })],
    ['one image at a time', torchvisionManifest()],
    [
      'normalised floats',
      torchvisionManifest({ input: { ...floats, mean: [1, 2, 3], std: [4, 5, 6], scale: 1 / 255 } }),
    ],
    ['a single image, which meets no padding', manifestOf({ batch: { max: 1, padding: 'forbidden' } })],
    ['boxes alone', manifestOf({ task: 'object-detection', masks: undefined })],
  ])('accepts %s', (_, manifest) => {
    expect(() => assertSupported(manifest)).not.toThrow();
  });

  it.each<[string, ModelManifest]>([
    [
      'input.resize.filter "pillow-bicubic": there is torch-bilinear',
      manifestOf({ input: { ...input, resize: fixed('pillow-bicubic') } }),
    ],
    [
      'input.crop: nothing is cropped yet, leave it null',
      manifestOf({ input: { ...input, crop: { center: [224, 224] } } }),
    ],
    [
      'input.pad.at "center": images go to the top left, "right-bottom"',
      manifestOf({ input: { ...input, pad: { at: 'center' } } }),
    ],
    [
      'input.dtype "float16": there is uint8 and float32',
      torchvisionManifest({ input: { ...floats, dtype: 'float16' } }),
    ],
    [
      'input.scale, mean and std: a uint8 input takes pixels as they are',
      manifestOf({ input: { ...input, scale: 0.5 } }),
    ],
    [
      'input.scale, mean and std: a uint8 input takes pixels as they are',
      manifestOf({ input: { ...input, mean: [0, 0, 1] } }),
    ],
    [
      'input.scale, mean and std: a uint8 input takes pixels as they are',
      manifestOf({ input: { ...input, std: [1, 2, 1] } }),
    ],
    [
      'batch.padding "forbidden" with "max" above 1: lower it to 1, or use "zero" or "masked"',
      manifestOf({ batch: { max: 2, padding: 'forbidden' } }),
    ],
    ['batch.size 2: there is "dynamic" and 1', manifestOf({ batch: { size: 2, max: 2 } })],
    [
      'task "keypoint-detection": there is object-detection and instance-segmentation',
      manifestOf({ task: 'keypoint-detection', masks: undefined, keypoints: { names: ['nose'] } }),
    ],
    [
      'task "image-classification": there is object-detection and instance-segmentation',
      manifestOf({ task: 'image-classification', masks: undefined }),
    ],
  ])('refuses %s', (problem, manifest) => {
    expect(() => assertSupported(manifest)).toThrow(
      expect.objectContaining({
        code: 'MODEL_NOT_SUPPORTED',
        message: `model.json asks for what this version does not do:\n  ${problem}`,
      }),
    );
  });

  it('names all that is not supported', () => {
    const manifest = manifestOf({
      batch: { size: 2, max: 2 },
      input: { ...input, pad: { at: 'center' }, crop: { center: [1, 1] } },
    });
    expect(() => assertSupported(manifest)).toThrow(/\n {2}input\.crop.*\n {2}input\.pad.*\n {2}batch\.size/);
  });
});
