import { describe, expect, it } from 'vitest';
import { withOpaqueFirstFrame } from '../../../src/shard/decode-gif.ts';

const SCREEN_WITHOUT_PALETTE = [...Buffer.from('GIF89a'), 1, 0, 1, 0, 0, 0, 0];
const SCREEN_WITH_PALETTE = [...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255];
const COMMENT = [0x21, 0xfe, 2, 0x21, 0xf9, 0];
const graphicControl = (flags: number): number[] => [0x21, 0xf9, 4, flags, 10, 0, 3, 0];
const IMAGE = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0];

describe('withOpaqueFirstFrame', () => {
  it('clears the transparency flag and nothing else', () => {
    const gif = Uint8Array.from([...SCREEN_WITHOUT_PALETTE, ...graphicControl(0b101), ...IMAGE]);
    const opaque = [...SCREEN_WITHOUT_PALETTE, ...graphicControl(0b100), ...IMAGE];
    expect([...withOpaqueFirstFrame(gif)]).toEqual(opaque);
  });

  it('does not write to its argument', () => {
    const gif = Uint8Array.from([...SCREEN_WITHOUT_PALETTE, ...graphicControl(1), ...IMAGE]);
    withOpaqueFirstFrame(gif);
    expect(gif[SCREEN_WITHOUT_PALETTE.length + 3]).toBe(1);
  });

  it('steps over the palette and over other extensions, whatever they hold', () => {
    const before = [...SCREEN_WITH_PALETTE, ...COMMENT];
    const gif = Uint8Array.from([...before, ...graphicControl(1), ...IMAGE]);
    expect([...withOpaqueFirstFrame(gif)]).toEqual([...before, ...graphicControl(0), ...IMAGE]);
  });

  it('leaves later frames alone', () => {
    const gif = Uint8Array.from([...SCREEN_WITHOUT_PALETTE, ...IMAGE, ...graphicControl(1), ...IMAGE]);
    expect(withOpaqueFirstFrame(gif)).toBe(gif);
  });

  it.each([0, 6, 13, 15, 16])('bears a file of %i bytes', (length) => {
    const gif = Uint8Array.from([...SCREEN_WITHOUT_PALETTE, ...graphicControl(1)]).subarray(0, length);
    expect(withOpaqueFirstFrame(gif)).toEqual(gif);
  });
});
