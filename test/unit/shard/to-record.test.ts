import { describe, expect, it } from 'vitest';
import { imageRecord } from '../../../src/run/record.ts';
import { ImageFailure } from '../../../src/runtime/image-failure.ts';
import { toFailedRecord, toLabelledRecord } from '../../../src/shard/to-record.ts';
import type { Detections } from '../../../src/vision/detections.ts';

const IMAGE = { id: 5, key: 'a/b.png', size: 9, etag: 'v1' };
const SIZE = { height: 30, width: 40 };
const CLASSES = [
  { label: 1, id: 7, name: 'card' },
  { label: 0, id: 3, name: 'pen' },
];
const TWO: Detections = {
  boxesXyxy: Float32Array.of(0.1, 0, 10.5, 20.25, -1.7, 2, 40, 30),
  labels: Int32Array.of(0, 1),
  scores: Float32Array.of(0.9, 0.3),
};
const NONE: Detections = {
  boxesXyxy: new Float32Array(0),
  labels: new Int32Array(0),
  scores: new Float32Array(0),
};

describe('toLabelledRecord', () => {
  it('gives categories for labels, and the shortest numbers that are still these float32', () => {
    expect(toLabelledRecord(IMAGE, SIZE, 6, TWO, CLASSES)).toEqual({
      image_id: 5,
      key: 'a/b.png',
      width: 40,
      height: 30,
      orientation: 6,
      detections: [
        { category_id: 3, score: 0.9, bbox_xyxy: [0.1, 0, 10.5, 20.25] },
        { category_id: 7, score: 0.3, bbox_xyxy: [-1.7, 2, 40, 30] },
      ],
    });
  });

  it('gives each detection its own mask', () => {
    const masks = [
      { counts: '426', area: 2 },
      { counts: '<', area: 0 },
    ];
    const { detections } = toLabelledRecord(IMAGE, SIZE, 1, { ...TWO, masks }, CLASSES);
    expect(detections.map(({ segmentation }) => segmentation)).toEqual(masks);
  });

  it('keeps an image without detections', () => {
    expect(toLabelledRecord(IMAGE, SIZE, 1, NONE, CLASSES).detections).toEqual([]);
    expect(toLabelledRecord(IMAGE, SIZE, 1, { ...NONE, masks: [] }, CLASSES).detections).toEqual([]);
  });

  it('comes back from JSON as it was', () => {
    const record = toLabelledRecord(IMAGE, SIZE, 1, TWO, CLASSES);
    expect(imageRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it('refuses a label that model.json does not have', () => {
    const detections = { ...TWO, labels: Int32Array.of(0, 2) };
    expect(() => toLabelledRecord(IMAGE, SIZE, 1, detections, CLASSES)).toThrow(
      expect.objectContaining({
        code: 'CONTRACT_MISMATCH',
        message: 'the model emitted label 2, but model.json has classes for 1, 0 only',
      }),
    );
  });
});

describe('a number that is none', () => {
  const refuse = (change: Partial<Detections>) =>
    expect(() => toLabelledRecord(IMAGE, SIZE, 1, { ...TWO, ...change }, CLASSES)).toThrow(
      expect.objectContaining({
        failureClass: 'inference_failed',
        message: 'the model returned a box or a score that is not a finite number',
      }),
    );

  it.each([Number.NaN, Infinity, -Infinity])('%d fails the image, since JSON has none', (none) => {
    refuse({ boxesXyxy: Float32Array.of(0, 0, 1, 1, 0, none, 1, 1) });
    refuse({ scores: Float32Array.of(0.5, none) });
  });
});

describe('toFailedRecord', () => {
  it('keeps class and message, and nothing of the cause', () => {
    const failure = new ImageFailure('truncated', 'the file ends early', { cause: new Error('/data') });
    const record = toFailedRecord(IMAGE, failure);
    expect(record).toEqual({
      image_id: 5,
      key: 'a/b.png',
      failure: { class: 'truncated', message: 'the file ends early' },
    });
    expect(imageRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });
});
