import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../src/runtime/byte-budget.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ByteBudget', () => {
  it('makes who does not fit wait, and serves first come first', async () => {
    const budget = new ByteBudget(10);
    const granted: string[] = [];
    const first = await budget.acquire(8);
    const big = budget.acquire(9).then((release) => (granted.push('big'), release));
    const small = budget.acquire(1).then((release) => (granted.push('small'), release));
    await tick();
    expect(granted).toEqual([]);
    first();
    await big;
    await small;
    expect(granted).toEqual(['big', 'small']);
    expect(budget.usedBytes).toBe(10);
  });

  it('lets in alone what is larger than the whole budget', async () => {
    const budget = new ByteBudget(10);
    const release = await budget.acquire(1000);
    let granted = false;
    const next = budget.acquire(1).then((give) => ((granted = true), give));
    await tick();
    expect(granted).toBe(false);
    release();
    (await next)();
    expect(budget.usedBytes).toBe(0);
  });

  it('gives back once, however often it is told', async () => {
    const budget = new ByteBudget(10);
    const release = await budget.acquire(4);
    const other = await budget.acquire(4);
    release();
    release();
    expect(budget.usedBytes).toBe(4);
    other();
  });
});
