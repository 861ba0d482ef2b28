import { describe, expect, it } from 'vitest';
import { exceedsBudget } from '../../../src/run/failure-budget.ts';

const tally = (labelled: number, failed: number) => ({ labelled, failed, failures: {} });

describe('exceedsBudget', () => {
  it.each([
    ['default share is not judged before 200 images', tally(3, 190), undefined, false, false],
    ['unasked, nothing but failures is too many, at the end', tally(0, 3), undefined, true, true],
    ['but not early, where better ones may come', tally(0, 3), undefined, false, false],
    ['nothing but failures can be allowed', tally(0, 3), { share: 1 }, true, false],
    ['nor at the end of a small run', tally(30, 3), undefined, true, false],
    ['default share of 5% from 200 images on', tally(189, 11), undefined, false, true],
    ['exactly 5% is within', tally(190, 10), undefined, false, false],
    ['an asked share is judged at the end of a small run', tally(8, 2), { share: 0.1 }, true, true],
    ['but not early', tally(8, 2), { share: 0.1 }, false, false],
    ['a count is judged at once', tally(0, 1), { count: 0 }, false, true],
    ['a count that is reached is within', tally(0, 3), { count: 3 }, true, false],
  ])('%s', (_, counts, asked, atEnd, expected) => {
    expect(exceedsBudget(counts, asked, atEnd)).toBe(expected);
  });
});
