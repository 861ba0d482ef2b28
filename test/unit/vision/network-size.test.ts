import { describe, expect, it } from 'vitest';
import { networkSize, paddedSize } from '../../../src/vision/network-size.ts';

const at = (height: number, width: number) => ({ height, width });

describe('networkSize', () => {
  it.each([
    [480, 640, 800, 1066],
    [427, 640, 800, 1199],
    [640, 427, 1199, 800],
    [333, 500, 800, 1201],
    [600, 1000, 799, 1333],
    [375, 1242, 402, 1333],
    [1080, 1920, 749, 1333],
  ])("takes %i x %i to torchvision's %i x %i", (height, width, resizedHeight, resizedWidth) => {
    const policy = { policy: 'shortest-edge', size: 800, max: 1333, rounding: 'floor' } as const;
    expect(networkSize(at(height, width), policy)).toEqual(at(resizedHeight, resizedWidth));
  });

  it('rounds as mmcv does', () => {
    const policy = { policy: 'shortest-edge', size: 800, max: 1333, rounding: 'round' } as const;
    expect(networkSize(at(480, 640), policy)).toEqual(at(800, 1067));
    expect(networkSize(at(600, 1000), policy)).toEqual(at(800, 1333));
  });

  it('keeps or replaces the size', () => {
    expect(networkSize(at(3, 5), { policy: 'none' })).toEqual(at(3, 5));
    expect(networkSize(at(3, 5), { policy: 'fixed', height: 7, width: 8 })).toEqual(at(7, 8));
  });

  it('fits into a frame, whichever way the image lies', () => {
    const policy = { policy: 'keep-ratio', height: 320, width: 640, rounding: 'round' } as const;
    expect(networkSize(at(100, 400), policy)).toEqual(at(160, 640));
    expect(networkSize(at(400, 100), policy)).toEqual(at(320, 80));
    expect(networkSize(at(1000, 2000), policy)).toEqual(at(320, 640));
  });

  it('brings the longest edge to its size', () => {
    expect(networkSize(at(300, 200), { policy: 'longest-edge', size: 100, rounding: 'floor' })).toEqual(
      at(100, 66),
    );
    expect(networkSize(at(300, 200), { policy: 'longest-edge', size: 100, rounding: 'round' })).toEqual(
      at(100, 67),
    );
  });

  it('never falls below one pixel', () => {
    expect(networkSize(at(1, 5000), { policy: 'longest-edge', size: 100, rounding: 'floor' })).toEqual(
      at(1, 100),
    );
  });
});

describe('paddedSize', () => {
  const exact = { divisor: 32, ladder: 'exact' } as const;

  it('rounds up to the divisor', () => {
    expect(paddedSize(at(800, 1066), exact)).toEqual(at(800, 1088));
    expect(paddedSize(at(1, 33), exact)).toEqual(at(32, 64));
    expect(paddedSize(at(7, 9), { ...exact, divisor: 1 })).toEqual(at(7, 9));
  });

  it('takes the smallest shape that holds the image', () => {
    const ladder: [number, number][] = [
      [640, 640],
      [320, 640],
      [640, 320],
    ];
    expect(paddedSize(at(300, 320), { divisor: 32, ladder })).toEqual(at(320, 640));
    expect(paddedSize(at(400, 320), { divisor: 32, ladder })).toEqual(at(640, 320));
    expect(paddedSize(at(321, 321), { divisor: 32, ladder })).toEqual(at(640, 640));
    expect(() => paddedSize(at(641, 10), { divisor: 32, ladder })).toThrow(
      new RangeError('an image of 641x10 fits no shape of the ladder (640x640, 320x640, 640x320)'),
    );
  });
});
