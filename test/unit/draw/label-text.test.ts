import { describe, expect, it } from 'vitest';
import { fitLabel, labelName } from '../../../src/draw/label-text.ts';

const anything = () => true;
const latin = (codePoint: number) => codePoint < 0x250;

/** Every character one unit wide. */
const measure = (text: string) => text.length;

describe('labelName', () => {
  it.each([
    ['student_id', 'student_id'],
    ['<b>&amp;</b>', '<b>&amp;</b>'],
    ['  two\n\tlines ', 'two lines'],
    ['bell\u0007 null\u0000', 'bell null'],
    ['\u202Edesrever', 'desrever'],
    ['zero\u200Bwidth', 'zerowidth'],
    ['lone \uD83D surrogate', 'lone surrogate'],
    ['Fu\u0308hrerschein', 'Führerschein'],
    ['x'.repeat(40), 'x'.repeat(40)],
    ['x'.repeat(41), `${'x'.repeat(39)}…`],
  ])('of %j is %j', (name, label) => {
    expect(labelName(name, anything)).toBe(label);
  });

  it('replaces, one for one, what the font does not have', () => {
    expect(labelName('é 猫 😀', latin)).toBe('é \uFFFD \uFFFD');
  });
});

describe('fitLabel', () => {
  it.each([
    [20, 'passport: 98.3%'],
    [15, 'passport: 98.3%'],
    [14, 'passpo…: 98.3%'],
    [11, 'pas…: 98.3%'],
    [10, '98.3%'],
    [5, '98.3%'],
    [4, null],
  ])('in %d units is %j', (maxWidth, label) => {
    expect(fitLabel('passport', 0.9832, maxWidth, measure)).toBe(label);
  });

  it('does not cut short names', () => {
    expect(fitLabel('cat', 0.5, 10, measure)).toBe('cat: 50.0%');
    expect(fitLabel('cat', 0.5, 9, measure)).toBe('50.0%');
  });

  it('gives one decimal of a percent', () => {
    expect(fitLabel('a', 1, 99, measure)).toBe('a: 100.0%');
    expect(fitLabel('a', Math.fround(0.05), 99, measure)).toBe('a: 5.0%');
  });

  it('is the score alone for a name of which nothing is left', () => {
    expect(fitLabel('', 0.5, 99, measure)).toBe('50.0%');
  });
});
