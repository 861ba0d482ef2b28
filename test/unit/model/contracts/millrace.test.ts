import { describe, expect, it } from 'vitest';
import { millrace } from '../../../../src/model/contracts/millrace.ts';
import type { GraphSignature, TensorInfo } from '../../../../src/model/session.ts';
import { manifestOf } from '../manifest-fixture.ts';
import { float32, info, int64 } from '../tensors.ts';

const IMAGES = info('images', 'uint8', 'batch', 'height', 'width', 3);
const SIZES = info('image_sizes', 'int64', 'batch', 2);
const COUNTS = info('num_detections', 'int64', 'batch');
const BOXES = info('boxes', 'float32', 'batch', 'rows', 4);
const LABELS = info('labels', 'int64', 'batch', 'rows');
const SCORES = info('scores', 'float32', 'batch', 'rows');
const MASKS = info('masks', 'float32', 'batch', 'rows', 28, 28);

const SEGMENTATION = manifestOf();
const DETECTION = manifestOf({ task: 'object-detection', masks: undefined });

const graphOf = (inputs: TensorInfo[], outputs: TensorInfo[]): GraphSignature => ({ inputs, outputs });

describe('millrace.check', () => {
  it.each([
    ['its own export', SEGMENTATION, graphOf([IMAGES, SIZES], [COUNTS, BOXES, LABELS, SCORES, MASKS])],
    ['a detector', DETECTION, graphOf([IMAGES, SIZES], [COUNTS, BOXES, LABELS, SCORES])],
    ['any order', DETECTION, graphOf([SIZES, IMAGES], [SCORES, LABELS, BOXES, COUNTS])],
    [
      'masks that nobody asked for',
      DETECTION,
      graphOf([IMAGES, SIZES], [COUNTS, BOXES, LABELS, SCORES, MASKS]),
    ],
    [
      'int32 labels and a frozen size',
      DETECTION,
      graphOf(
        [info('images', 'uint8', 1, 320, 320, 3), info('image_sizes', 'int64', 1, 2)],
        [COUNTS, BOXES, info('labels', 'int32', 1, 100), SCORES],
      ),
    ],
  ])('accepts %s', (_, manifest, graph) => {
    expect(() => millrace.check(graph, manifest)).not.toThrow();
  });

  it('refuses a mask frame that the graph cannot have', () => {
    const graph = graphOf([IMAGES, SIZES], [COUNTS, BOXES, LABELS, SCORES, MASKS]);
    expect(() => millrace.check(graph, manifestOf({ masks: { frame: 'input' } }))).toThrow(
      `"masks.frame" in model.json is "input", but the graph's masks are always 28x28: that is "box"`,
    );
  });

  it.each([
    ['no image_sizes', [IMAGES], [COUNTS, BOXES, LABELS, SCORES]],
    ['an input too many', [IMAGES, SIZES, info('scale', 'float32')], [COUNTS, BOXES, LABELS, SCORES]],
    [
      'float32 pixels where the manifest says uint8',
      [info('images', 'float32', 'batch', 'height', 'width', 3), SIZES],
      [COUNTS, BOXES, LABELS, SCORES],
    ],
    [
      'planes of pixels',
      [info('images', 'uint8', 'batch', 3, 'height', 'width', 1), SIZES],
      [COUNTS, BOXES, LABELS, SCORES],
    ],
    ['no num_detections', [IMAGES, SIZES], [BOXES, LABELS, SCORES]],
    [
      'boxes with scores in them',
      [IMAGES, SIZES],
      [COUNTS, info('boxes', 'float32', 'batch', 'rows', 5), LABELS, SCORES],
    ],
    ['boxes of one image', [IMAGES, SIZES], [COUNTS, info('boxes', 'float32', 'rows', 4), LABELS, SCORES]],
    ['float labels', [IMAGES, SIZES], [COUNTS, BOXES, info('labels', 'float32', 'batch', 'rows'), SCORES]],
  ])('refuses %s', (_, inputs, outputs) => {
    expect(() => millrace.check(graphOf(inputs, outputs), DETECTION)).toThrow(
      expect.objectContaining({ code: 'CONTRACT_MISMATCH' }),
    );
  });

  it('refuses a graph without masks for a model that has to make some, and shows both', () => {
    const graph = graphOf([IMAGES, SIZES], [COUNTS, BOXES, LABELS, SCORES]);
    expect(() => millrace.check(graph, SEGMENTATION)).toThrow(
      /expected outputs: .*masks float32\[B,N,M,M\]\n {2}found outputs: .*scores float32\[batch,rows\]\n/,
    );
  });
});

describe('millrace.feeds', () => {
  const batch = {
    batchSize: 2,
    padded: { height: 2, width: 1 },
    imageSizes: [
      { height: 2, width: 1 },
      { height: 1, width: 1 },
    ],
  };
  const graph = graphOf([IMAGES, SIZES], []);

  it('passes bytes on as they are, and true sizes beside them', () => {
    const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0);
    const feeds = millrace.feeds({ ...batch, pixels }, graph);
    expect(feeds).toEqual({
      images: { dtype: 'uint8', dims: [2, 2, 1, 3], data: pixels },
      image_sizes: { dtype: 'int64', dims: [2, 2], data: BigInt64Array.of(2n, 1n, 1n, 1n) },
    });
    expect(feeds.images!.data).toBe(pixels);
  });

  it('passes floats on as float32', () => {
    const pixels = new Float32Array(12);
    expect(millrace.feeds({ ...batch, pixels }, graph).images).toEqual({
      dtype: 'float32',
      dims: [2, 2, 1, 3],
      data: pixels,
    });
  });
});

describe('millrace.read', () => {
  /** Two images, three rows each; the first has two detections, the second one; the rest is padding. */
  const outputs = {
    num_detections: int64([2], 2, 1),
    // prettier-ignore
    boxes: float32([2, 3, 4], 0, 1, 2, 3,  4, 5, 6, 7,  -1, -1, -1, -1,  8, 9, 10, 11,  -1, -1, -1, -1,  -1, -1, -1, -1),
    labels: int64([2, 3], 5, 6, -1, 7, -1, -1),
    // The padding has scores too, so that only the counts tell what it is.
    scores: float32([2, 3], 0.75, 0.5, 0.5, 0.25, 0.25, 0.25),
  };

  it('gives each image its own rows, and no padding', () => {
    expect(millrace.read(outputs, 2, 0)).toEqual([
      {
        boxesXyxy: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
        labels: Int32Array.of(5, 6),
        scores: Float32Array.of(0.75, 0.5),
      },
      {
        boxesXyxy: Float32Array.of(8, 9, 10, 11),
        labels: Int32Array.of(7),
        scores: Float32Array.of(0.25),
      },
    ]);
  });

  it('drops what is below the threshold, and keeps what reaches it', () => {
    const found = millrace.read(outputs, 2, 0.5);
    expect(found.map(({ labels }) => [...labels])).toEqual([[5, 6], []]);
    expect(found.map(({ boxesXyxy }) => boxesXyxy.length)).toEqual([8, 0]);
  });

  it('gives each detection its own mask grid', () => {
    const masks = float32([2, 3, 1, 2], 1, 2, 3, 4, -1, -1, 5, 6, -1, -1, -1, -1);
    const found = millrace.read({ ...outputs, masks }, 2, 0);
    expect(found.map((image) => image.masks)).toEqual([
      { values: Float32Array.of(1, 2, 3, 4), height: 1, width: 2 },
      { values: Float32Array.of(5, 6), height: 1, width: 2 },
    ]);
    const best = millrace.read({ ...outputs, masks }, 2, 0.6);
    expect(best.map((image) => [...image.masks!.values])).toEqual([[1, 2], []]);
  });

  it('copies: what it returns keeps no output alive', () => {
    const [first] = millrace.read(outputs, 2, 0);
    expect(first!.boxesXyxy.buffer.byteLength).toBe(8 * 4);
  });

  it('reads a batch in which nothing is found', () => {
    const nothing = {
      num_detections: int64([2], 0, 0),
      boxes: float32([2, 0, 4]),
      labels: int64([2, 0]),
      scores: float32([2, 0]),
      masks: float32([2, 0, 28, 28]),
    };
    const none = {
      boxesXyxy: new Float32Array(0),
      labels: new Int32Array(0),
      scores: new Float32Array(0),
      masks: { values: new Float32Array(0), height: 28, width: 28 },
    };
    expect(millrace.read(nothing, 2, 0)).toEqual([none, none]);
  });
});
