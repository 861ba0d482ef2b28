import { describe, expect, it } from 'vitest';
import { csvRow } from '../../../src/coco/csv.ts';

describe('csvRow', () => {
  it('separates by commas and ends the line', () => {
    expect(csvRow(['a', '', 'b c'])).toBe('a,,b c\n');
  });

  it.each([
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    ["it's", "it's"],
    ['ü 😀', 'ü 😀'],
  ])('quotes %j where it must', (cell, written) => {
    expect(csvRow([cell])).toBe(`${written}\n`);
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    ['\nx', '"\'\nx"'],
    ['=A1,B1', '"\'=A1,B1"'],
    ['a=b', 'a=b'],
  ])('does not let %j be a formula', (cell, written) => {
    expect(csvRow([cell])).toBe(`${written}\n`);
  });
});
