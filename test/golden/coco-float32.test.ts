import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { shortestFloat32 } from '../../src/coco/shortest-float32.ts';

const cases = z
  .array(z.object({ bits: z.int(), shortest: z.string() }))
  .parse(JSON.parse(await readFile(new URL('data/coco-float32.json', import.meta.url), 'utf8')));

const fromBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN;

describe('shortestFloat32', () => {
  it('is as short as what NumPy writes, as near to the value, and the same float32', () => {
    expect(cases.length).toBeGreaterThan(1500);
    for (const { bits, shortest } of cases) {
      const value = fromBits(bits);
      const ours = shortestFloat32(value);
      const theirs = Number(shortest);
      // Where two decimals are equally near, NumPy takes the even one, JavaScript the larger.
      const expected = value - theirs === ours - value ? ours : theirs;
      expect(ours).toBe(expected);
      expect(String(ours).length).toBe(String(theirs).length);
      expect(Math.fround(ours)).toBe(value);
    }
  });
});
