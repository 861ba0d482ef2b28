import { describe, expect, it } from 'vitest';
import { classStyles, styleLookup } from '../../../src/draw/class-style.ts';
import { paletteColor } from '../../../src/draw/color.ts';

const styles = classStyles([
  { label: 1, name: 'card' },
  { label: 7, name: 'pen', color: '#123456' },
  { label: 3, name: 'cup' },
]);

describe('classStyles', () => {
  it("keeps a class's own colour, and takes the palette's by index for the others", () => {
    expect(styles).toEqual([
      { label: 1, name: 'card', color: paletteColor(0) },
      { label: 7, name: 'pen', color: '#123456' },
      { label: 3, name: 'cup', color: paletteColor(2) },
    ]);
  });
});

describe('styleLookup', () => {
  it('finds a style by the label that the model emits', () => {
    expect(styleLookup(styles)(7).name).toBe('pen');
  });

  it('makes one up for a label without a class', () => {
    expect(styleLookup(styles)(2)).toEqual({ label: 2, name: 'class 2', color: paletteColor(2) });
    expect(styleLookup([])(25).color).toBe(paletteColor(5));
  });
});
