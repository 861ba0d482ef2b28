import { describe, expect, it } from 'vitest';
import { describeProgress, duration, fittingLine, type Progress } from '../../../src/cli/progress.ts';
import type { Tally } from '../../../src/run/tally.ts';

const progressOf = (
  images: number,
  labelled: number,
  failures: Tally['failures'] = {},
  resumed = 0,
): Progress => {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return { images, tally: { labelled, failed, failures }, resumed };
};

describe('fittingLine', () => {
  const progress = progressOf(33, 9, { truncated: 2, empty: 1 });
  it.each([
    [120, '[=======             ] 36% 12/33 images  3.0 images/s  ETA 0:07  3 failed (truncated 2, empty 1)'],
    [80, '[=======             ] 36% 12/33 images  3.0 images/s  ETA 0:07  3 failed'],
    [60, '12/33 images  3.0 images/s  ETA 0:07  3 failed'],
    [20, '12/33 images  3.0 i'],
  ])('of %i columns holds what matters most', (columns, line) => {
    expect(fittingLine(progress, 4, columns)).toBe(line);
  });
});

describe('describeProgress', () => {
  it.each([
    ['at the start', progressOf(33, 0), 2, '0/33 images  0.0 images/s  ETA -'],
    ['before any time has passed', progressOf(33, 1), 0, '1/33 images  0.0 images/s  ETA -'],
    ['under way', progressOf(40, 10), 4, '10/40 images  2.5 images/s  ETA 0:12'],
    ['at the end', progressOf(10, 10), 4, '10/10 images  2.5 images/s  ETA 0:00'],
    [
      'with failures, which are done too',
      progressOf(33, 9, { truncated: 2, empty: 1 }),
      4,
      '12/33 images  3.0 images/s  ETA 0:07  3 failed (truncated 2, empty 1)',
    ],
    [
      'resumed: what was done before is no speed',
      progressOf(100, 60, {}, 50),
      10,
      '60/100 images  1.0 images/s  ETA 0:40',
    ],
    [
      'resumed, and nothing done since',
      progressOf(100, 50, {}, 50),
      10,
      '50/100 images  0.0 images/s  ETA -',
    ],
    [
      'while a shard is tried again, which counts from nothing',
      progressOf(100, 40, {}, 50),
      10,
      '40/100 images  0.0 images/s  ETA -',
    ],
  ])('%s', (_, progress, seconds, line) => {
    expect(describeProgress(progress, seconds)).toBe(line);
  });
});

describe('duration', () => {
  it.each([
    [0, '0:00'],
    [0.1, '0:01'],
    [5, '0:05'],
    [59, '0:59'],
    [59.2, '1:00'],
    [760, '12:40'],
    [3599, '59:59'],
    [3599.5, '1:00:00'],
    [10_931, '3:02:11'],
    [360_000, '100:00:00'],
  ])('%d s is %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});
