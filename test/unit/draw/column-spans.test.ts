import { describe, expect, it } from 'vitest';
import { type ColumnSpans, columnSpans, contourSpans } from '../../../src/draw/column-spans.ts';

/** Run lengths of a picture drawn with `#`, down the columns, zeros first. */
function runsOf(rows: readonly string[]): number[] {
  const runs: number[] = [];
  let length = 0;
  let current = '.';
  for (let x = 0; x < rows[0]!.length; x++) {
    for (const row of rows) {
      if (row[x] !== current) {
        runs.push(length);
        length = 0;
        current = row[x]!;
      }
      length++;
    }
  }
  return [...runs, length];
}

function picture({ left, columns }: ColumnSpans, height: number, width: number): string[] {
  const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => '.'));
  columns.forEach((spans, column) => {
    for (let index = 0; index < spans.length; index += 2)
      for (let y = spans[index]!; y < spans[index + 1]!; y++) rows[y]![left + column] = '#';
  });
  return rows.map((row) => row.join(''));
}

/** The contour of a picture, as a picture. */
const contour = (rows: readonly string[], widthPx: number) =>
  picture(contourSpans(columnSpans(runsOf(rows), rows.length), widthPx), rows.length, rows[0]!.length);

const RING = [
  '.......', //
  '.#####.',
  '.#...#.',
  '.#####.',
];

const BLOB = ['........', '.#####..', '.######.', '.######.', '.######.', '..#####.', '........'];

describe('columnSpans', () => {
  it('cuts runs at the ends of columns', () => {
    // 3 rows: one zero, then seven ones reaching through columns 0, 1 and 2.
    expect(columnSpans([1, 7, 4], 3)).toEqual({
      left: 0,
      columns: [
        [1, 3],
        [0, 3],
        [0, 2],
      ],
    });
  });

  it('starts at the first column with a set pixel', () => {
    expect(columnSpans([13, 1, 1], 3)).toEqual({ left: 4, columns: [[1, 2]] });
  });

  it('keeps the empty columns inside', () => {
    expect(columnSpans([0, 1, 8, 3], 3)).toEqual({ left: 0, columns: [[0, 1], [], [], [0, 3]] });
  });

  it('joins runs with no zeros between them', () => {
    expect(columnSpans([0, 1, 0, 2], 3)).toEqual({ left: 0, columns: [[0, 3]] });
  });

  it('has no columns for an empty mask', () => {
    expect(columnSpans([12], 3).columns).toEqual([]);
    expect(columnSpans([], 3).columns).toEqual([]);
  });

  it.each([[RING], [BLOB]])('is the inverse of run-length encoding', (rows) => {
    expect(picture(columnSpans(runsOf(rows), rows.length), rows.length, rows[0]!.length)).toEqual(rows);
  });
});

describe('contourSpans', () => {
  it('is the rim of the mask, inside it', () => {
    expect(contour(BLOB, 1)).toEqual([
      '........',
      '.#####..',
      '.#....#.',
      '.#....#.',
      '.#....#.',
      '..#####.',
      '........',
    ]);
  });

  it('grows inwards with its width', () => {
    const square = Array.from({ length: 7 }, () => '#######');
    expect(contour(square, 2)).toEqual([
      '#######',
      '#######',
      '##...##',
      '##...##',
      '##...##',
      '#######',
      '#######',
    ]);
  });

  it('goes round holes, and takes all of what is thin', () => {
    expect(contour(RING, 1)).toEqual(RING);
  });

  it('is empty for an empty mask', () => {
    expect(contourSpans(columnSpans([12], 3), 1).columns).toEqual([]);
  });
});
