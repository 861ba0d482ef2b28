import { describe, expect, it } from 'vitest';
import { withLifetime } from '../../../src/runtime/lifetime.ts';

describe('withLifetime', () => {
  it('releases in reverse order, also when the body throws', async () => {
    const released: number[] = [];
    const body = withLifetime(async (lifetime) => {
      for (const n of [1, 2, 3]) lifetime.onEnd(async () => void released.push(n));
      throw new Error('body');
    });
    await expect(body).rejects.toThrow('body');
    expect(released).toEqual([3, 2, 1]);
  });

  it('runs every releaser and reports the first that failed', async () => {
    const released: number[] = [];
    const body = withLifetime(async (lifetime) => {
      lifetime.onEnd(async () => void released.push(1));
      lifetime.onEnd(() => Promise.reject(new Error('releaser')));
    });
    await expect(body).rejects.toThrow('releaser');
    expect(released).toEqual([1]);
  });
});
