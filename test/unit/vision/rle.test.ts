import { describe, expect, it } from 'vitest';
import { decodeRle, encodeMask, encodeRle, RunWriter } from '../../../src/vision/rle.ts';
import { maskFromRuns } from './mask-from-runs.ts';

const size = { height: 4, width: 3 };

/** Rows of `.` and `#`. */
const draw = (...rows: string[]) => Array.from(rows.join(''), (cell) => (cell === '#' ? 1 : 0));

describe('a mask in COCO run lengths', () => {
  it('that is empty', () => {
    expect(encodeMask(draw('...', '...', '...', '...'), size)).toEqual({ counts: '<', area: 0 });
  });

  it('that is full starts with no zeros, and ends without a run of none', () => {
    expect(encodeMask(draw('###', '###', '###', '###'), size)).toEqual({ counts: '0<', area: 12 });
  });

  it('runs down the columns', () => {
    expect(encodeMask(draw('...', '.#.', '.#.', '...'), size)).toEqual({ counts: '525', area: 2 });
    expect(Array.from(decodeRle('525'))).toEqual([5, 2, 5]);
  });

  it('joins the foot of a column with the head of the next', () => {
    const { counts, area } = encodeMask(draw('.#.', '...', '#..', '#..'), size);
    expect(Array.from(decodeRle(counts))).toEqual([2, 3, 7]);
    expect(area).toBe(3);
  });

  it('of two rectangles is what pycocotools writes', () => {
    const mask = Array.from({ length: 200 }, (_, n) => {
      const [y, x] = [Math.floor(n / 20), n % 20];
      return (y >= 2 && y < 7 && x >= 3 && x < 9) || (y >= 5 && y < 9 && x >= 12 && x < 18) ? 1 : 0;
    });
    const encoded = encodeMask(mask, { height: 10, width: 20 });
    expect(encoded).toEqual({ counts: 'P155000000000Q1OPO000000000?', area: 54 });
  });

  it('of probabilities is set above the threshold, not at it', () => {
    expect(encodeMask(Float32Array.of(0.5, 0.75, 0.25, Number.NaN), { height: 2, width: 2 }, 0.5)).toEqual(
      encodeMask([0, 1, 0, 0], { height: 2, width: 2 }),
    );
  });
});

describe('run-length strings', () => {
  it.each([
    [[0, 12]],
    [[5, 2, 5]],
    [[31, 32, 1023, 1024, 1, 0, 7]],
    [[2_000_000_000, 1, 1, 2_000_000_000]],
    [[0, 0, 0, 0, 3]],
    [[]],
  ])('%j come back', (runs) => {
    expect(Array.from(decodeRle(encodeRle(runs)))).toEqual(runs);
  });

  it.each(['P', 'o', '5 2', '52é', '001O', 'oooooooo0'])('%j is refused', (counts) => {
    expect(() => decodeRle(counts)).toThrow(RangeError);
  });
});

describe('runs', () => {
  it('become the mask again, for any mask', () => {
    let state = 7;
    const random = () => (state = Math.imul(state, 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 50; round++) {
      const image = { height: 1 + (round % 7), width: 1 + (round % 11) };
      const density = random();
      const mask = Uint8Array.from({ length: image.height * image.width }, () =>
        random() < density ? 1 : 0,
      );
      const { counts, area } = encodeMask(mask, image);
      expect(maskFromRuns(decodeRle(counts), image)).toEqual(mask);
      expect(area).toBe(mask.filter((value) => value === 1).length);
    }
  });
});

describe('RunWriter', () => {
  it('merges spans that touch', () => {
    const writer = new RunWriter();
    writer.addSpan(1, 2);
    writer.addSpan(2, 4);
    writer.addSpan(6, 7);
    expect(writer.encode(size)).toEqual({ counts: encodeRle([1, 3, 2, 1, 5]), area: 4 });
  });
});
