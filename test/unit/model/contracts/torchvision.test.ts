import { describe, expect, it } from 'vitest';
import { torchvision } from '../../../../src/model/contracts/torchvision.ts';
import type { TensorInfo } from '../../../../src/model/session.ts';
import { torchvisionManifest } from '../manifest-fixture.ts';
import { float32, info, int64 } from '../tensors.ts';

const INPUT = info('input', 'float32', 1, 3, 'height', 'width');
const BOXES = info('boxes', 'float32', 'n', 4);
const LABELS = info('labels', 'int64', 'n');
const SCORES = info('scores', 'float32', 'n');
const MASKS = info('masks', 'float32', 'n', 1, 'height', 'width');

const SEGMENTATION = torchvisionManifest();
const DETECTION = torchvisionManifest({ task: 'object-detection', masks: undefined });
const FROZEN = torchvisionManifest({
  task: 'object-detection',
  masks: undefined,
  input: { ...SEGMENTATION.input, shape: { height: 320, width: 240 } },
});

const renamed = (tensor: TensorInfo, name: string): TensorInfo => ({ ...tensor, name });
const sized = (height: number, width: number): TensorInfo => info('input', 'float32', 1, 3, height, width);

describe('torchvision.check', () => {
  it.each([
    ["torchvision's own export", SEGMENTATION, [INPUT], [BOXES, LABELS, SCORES, MASKS]],
    ['a detector', DETECTION, [INPUT], [BOXES, LABELS, SCORES]],
    ['any name of the input', DETECTION, [renamed(INPUT, 'images.1')], [BOXES, LABELS, SCORES]],
    [
      'outputs that are numbered',
      SEGMENTATION,
      [INPUT],
      [renamed(BOXES, '3218'), renamed(LABELS, '77'), renamed(SCORES, '3216'), renamed(MASKS, '9')],
    ],
    ['the size that the manifest says', FROZEN, [sized(320, 240)], [BOXES, LABELS, SCORES]],
  ])('accepts %s', (_, manifest, inputs, outputs) => {
    expect(() => torchvision.check({ inputs, outputs }, manifest)).not.toThrow();
  });

  it.each([
    ['no input', [], [BOXES, LABELS, SCORES]],
    ['two inputs', [INPUT, info('scale', 'float32')], [BOXES, LABELS, SCORES]],
    ['a batch of two', [info('input', 'float32', 2, 3, 'h', 'w')], [BOXES, LABELS, SCORES]],
    ['an image without a batch', [info('input', 'float32', 3, 'h', 'w')], [BOXES, LABELS, SCORES]],
    ['bytes', [info('input', 'uint8', 1, 3, 'h', 'w')], [BOXES, LABELS, SCORES]],
    ['no scores', [INPUT], [BOXES, LABELS]],
    ['boxes of a batch', [INPUT], [info('boxes', 'float32', 1, 'n', 4), LABELS, SCORES]],
  ])('refuses %s', (_, inputs, outputs) => {
    expect(() => torchvision.check({ inputs, outputs }, DETECTION)).toThrow(
      expect.objectContaining({ code: 'CONTRACT_MISMATCH' }),
    );
  });

  it('refuses another size than that of the manifest, and shows both', () => {
    const graph = { inputs: [sized(240, 320)], outputs: [BOXES, LABELS, SCORES] };
    expect(() => torchvision.check(graph, FROZEN)).toThrow(
      /expected inputs: {2}input float32\[1,3,320,240\]\n {2}found inputs: {5}input float32\[1,3,240,320\]\n/,
    );
  });

  it('refuses a graph without masks for a model that has to make some', () => {
    const graph = { inputs: [INPUT], outputs: [BOXES, LABELS, SCORES] };
    expect(() => torchvision.check(graph, SEGMENTATION)).toThrow(/masks float32\[N,1,H,W\]/);
  });

  it('refuses a manifest that would feed pixels interleaved into planes', () => {
    const graph = { inputs: [INPUT], outputs: [BOXES, LABELS, SCORES] };
    const interleaved = { layout: 'NHWC', dtype: 'float32', resize: { policy: 'none' } };
    expect(() =>
      torchvision.check(
        graph,
        torchvisionManifest({ task: 'object-detection', masks: undefined, input: interleaved }),
      ),
    ).toThrow(/NCHW/);
  });
});

describe('torchvision.feeds', () => {
  const batch = {
    pixels: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 0),
    batchSize: 1,
    padded: { height: 2, width: 1 },
    imageSizes: [{ height: 2, width: 1 }],
  };
  const graph = { inputs: [renamed(INPUT, 'images.1')], outputs: [] };

  it('passes one image on under the name that the graph has for it', () => {
    const feeds = torchvision.feeds(batch, graph);
    expect(feeds).toEqual({ 'images.1': { dtype: 'float32', dims: [1, 3, 2, 1], data: batch.pixels } });
    expect(feeds['images.1']!.data).toBe(batch.pixels);
  });

  it.each([
    ['bytes', { ...batch, pixels: new Uint8Array(6) }],
    ['two images', { ...batch, batchSize: 2, pixels: new Float32Array(12) }],
  ])('refuses %s', (_, wrong) => {
    expect(() => torchvision.feeds(wrong, graph)).toThrow(
      expect.objectContaining({
        code: 'CONTRACT_MISMATCH',
        message: 'the contract "torchvision" takes one float32 image at a time',
      }),
    );
  });
});

describe('torchvision.read', () => {
  const boxes = float32([2, 4], 0, 1, 2, 3, 4, 5, 6, 7);
  const labels = int64([2], 5, 6);
  const scores = float32([2], 0.75, 0.5);
  const masks = float32([2, 1, 1, 3], 0.1, 0.2, 0.3, 0.4, 0.5, 0.6);
  const FOUND = {
    boxesXyxy: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
    labels: Int32Array.of(5, 6),
    scores: Float32Array.of(0.75, 0.5),
    masks: { values: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), height: 1, width: 3 },
  };

  it('finds outputs by name', () => {
    expect(torchvision.read({ boxes, labels, scores, masks }, 1, 0)).toEqual([FOUND]);
  });

  it('finds numbered outputs by shape and type, in whatever order they come', () => {
    const numbered = { '3218': boxes, '77': labels, '3216': scores, '9': masks };
    expect(torchvision.read(numbered, 1, 0)).toEqual([FOUND]);
  });

  it('prefers the name where two outputs have the shape', () => {
    const proposals = float32([2, 4], 9, 9, 9, 9, 9, 9, 9, 9);
    const objectness = float32([2], 0.1, 0.1);
    const outputs = { proposals, objectness, boxes, labels, scores, masks };
    expect(torchvision.read(outputs, 1, 0)).toEqual([FOUND]);
  });

  it('drops what is below the threshold', () => {
    expect(torchvision.read({ boxes, labels, scores, masks }, 1, 0.6)).toEqual([
      {
        boxesXyxy: Float32Array.of(0, 1, 2, 3),
        labels: Int32Array.of(5),
        scores: Float32Array.of(0.75),
        masks: { values: Float32Array.of(0.1, 0.2, 0.3), height: 1, width: 3 },
      },
    ]);
  });

  it('reads a detector', () => {
    const { masks: _, ...detections } = FOUND;
    expect(torchvision.read({ boxes, labels, scores }, 1, 0)).toEqual([detections]);
  });

  it('reads an image in which nothing is found', () => {
    const nothing = {
      boxes: float32([0, 4]),
      labels: int64([0]),
      scores: float32([0]),
      masks: float32([0, 1, 8, 9]),
    };
    expect(torchvision.read(nothing, 1, 0.5)).toEqual([
      {
        boxesXyxy: new Float32Array(0),
        labels: new Int32Array(0),
        scores: new Float32Array(0),
        masks: { values: new Float32Array(0), height: 8, width: 9 },
      },
    ]);
  });

  it('names an output that is missing', () => {
    expect(() => torchvision.read({ boxes, labels }, 1, 0)).toThrow('the graph returned no output "scores"');
  });
});
