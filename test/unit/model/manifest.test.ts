import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../src/model/package.ts';

const SHA = 'a'.repeat(64);

const valid = {
  schema: 1,
  name: 'cards',
  task: 'instance-segmentation',
  file: 'model.onnx',
  sha256: SHA,
  contract: 'millrace',
  input: { layout: 'NHWC', dtype: 'uint8', resize: { policy: 'shortest-edge', size: 800, max: 1333 } },
  batch: { max: 8 },
  masks: { frame: 'box' },
  classes: [{ label: 1, id: 1, name: 'card' }],
};

const parse = (change: object) => parseManifest(JSON.stringify({ ...valid, ...change }), 'model.json');

describe('parseManifest', () => {
  it('fills in what the exporter may leave out', () => {
    const manifest = parse({});
    expect(manifest.input).toMatchObject({
      color: 'RGB',
      shape: 'dynamic',
      crop: null,
      pad: { divisor: 1, value: [0, 0, 0], at: 'right-bottom', ladder: 'exact' },
      scale: 1,
      resize: { rounding: 'floor', filter: 'torch-bilinear' },
    });
    expect(manifest.batch).toEqual({ size: 'dynamic', max: 8, padding: 'masked' });
    expect(manifest.masks).toEqual({
      frame: 'box',
      values: 'probability',
      threshold: 0.5,
      paste: 'torchvision',
    });
    expect(manifest.thresholds).toEqual({ score: 0.05, label: 0.5 });
  });

  it.each([
    [{ colour: 'red' }, /colour/],
    [{ schema: 2 }, /schema/],
    [{ file: '../model.onnx' }, /file: the name of an \.onnx file/],
    [{ sha256: 'abc' }, /sha256/],
    [{ contract: 'yolo' }, /contract/],
    [{ input: { ...valid.input, resize: { policy: 'stretch' } } }, /input\.resize\.policy/],
    [{ input: { ...valid.input, layout: 'NCHW' } }, /input: the millrace contract takes NHWC/],
    [{ batch: { size: 1, max: 8 } }, /batch\.max: a graph frozen at batch 1 needs "max": 1/],
    [{ masks: undefined }, /masks: an instance-segmentation model needs "masks"/],
    [{ classes: [] }, /classes/],
    [{ classes: [valid.classes[0], valid.classes[0]] }, /classes\.1\.label: label 1 is used twice/],
    [
      { classes: [valid.classes[0], { label: 2, id: 1, name: 'other' }] },
      /classes\.0\.id: id 1 is used for two different names/,
    ],
    [{ batch: { max: 10_000 } }, /batch\.max: .*512/],
    [{ input: { ...valid.input, pad: { divisor: 100_000 } } }, /input\.pad\.divisor: .*1024/],
    [{ input: { ...valid.input, pad: { value: [0, 0, 300] } } }, /input\.pad\.value: whole numbers from 0/],
    [{ keypoints: { names: ['eye'], sigmas: [1, 1] } }, /keypoints\.sigmas: 2 for 1 keypoints/],
    [{ thresholds: { score: 2 } }, /thresholds\.score/],
    [{ task: 'keypoint-detection' }, /keypoints\.names/],
  ])('refuses %j and names the path', (change, message) => {
    expect(() => parse(change)).toThrow(message);
  });

  it('reads a file that begins with a byte order mark', () => {
    expect(parseManifest(`\uFEFF${JSON.stringify(valid)}`, 'model.json')).toEqual(parse({}));
  });

  it('says when it is not JSON at all', () => {
    expect(() => parseManifest('{', 'there/model.json')).toThrow(/there\/model\.json is not JSON/);
  });
});
