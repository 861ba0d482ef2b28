import { describe, expect, it } from 'vitest';
import {
  toBboxResult,
  toCategories,
  toCocoAnnotation,
  toCocoImage,
  toSegmResult,
  toXywh,
} from '../../../src/coco/from-record.ts';
import type { LabelledRecord, RecordedDetection } from '../../../src/run/record.ts';

const box: RecordedDetection = { category_id: 3, score: Math.fround(0.9), bbox_xyxy: [1, 2, 4.5, 4] };
// pycocotools' encoding of a 3 x 4 mask (height x width) with the lower two pixels of the second column set.
const masked: RecordedDetection = { ...box, segmentation: { counts: '426', area: 2 } };
const image: LabelledRecord = {
  image_id: 7,
  key: 'a/ü b.png',
  width: 4,
  height: 3,
  orientation: 6,
  detections: [masked],
};

describe('toXywh', () => {
  it('subtracts in float32 and writes short', () => {
    expect(toXywh([0.1, 0.2, 0.3, 0.7])).toEqual([0.1, 0.2, 0.20000002, 0.5]);
    // In float64 the first would be 0.19999999999999998.
    expect(toXywh([Math.fround(0.1), 10, Math.fround(0.3), 10])).toEqual([0.1, 10, 0.20000002, 0]);
  });
});

describe('a record as COCO', () => {
  it('keeps the key as the file name', () => {
    expect(toCocoImage(image)).toEqual({ id: 7, width: 4, height: 3, file_name: 'a/ü b.png' });
  });

  it('makes an annotation of a mask, with its area', () => {
    expect(toCocoAnnotation(image, masked, 1)).toEqual({
      id: 1,
      image_id: 7,
      category_id: 3,
      bbox: [1, 2, 3.5, 2],
      area: 2,
      segmentation: { size: [3, 4], counts: '426' },
      iscrowd: 0,
      score: 0.9,
    });
  });

  it("makes an annotation of a box, with the box's area and no segments", () => {
    expect(toCocoAnnotation(image, box, 2)).toMatchObject({ area: 7, segmentation: [] });
  });

  it('gives results the score, masks no box', () => {
    expect(toBboxResult(image, masked)).toEqual({
      image_id: 7,
      category_id: 3,
      bbox: [1, 2, 3.5, 2],
      score: 0.9,
    });
    expect(toSegmResult(image, masked)).toEqual({
      image_id: 7,
      category_id: 3,
      segmentation: { size: [3, 4], counts: '426' },
      score: 0.9,
    });
    expect(toSegmResult(image, box)).toBeUndefined();
  });
});

describe('toCategories', () => {
  it('lists each category once, in the order of the classes', () => {
    expect(
      toCategories([
        { id: 5, name: 'card', supercategory: 'document' },
        { id: 2, name: 'pen' },
        { id: 5, name: 'card, worn' },
      ]),
    ).toEqual([
      { id: 5, name: 'card', supercategory: 'document' },
      { id: 2, name: 'pen', supercategory: '' },
    ]);
  });
});
