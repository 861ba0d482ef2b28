import { describe, expect, it } from 'vitest';
import { BoundedTasks } from '../../../src/runtime/bounded-tasks.ts';

describe('BoundedTasks', () => {
  it('never runs more than the limit', async () => {
    const tasks = new BoundedTasks(2);
    let [running, most] = [0, 0];
    for (let n = 0; n < 6; n++) {
      await tasks.start(async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running -= 1;
      });
    }
    await tasks.settled();
    expect([most, running]).toEqual([2, 0]);
  });

  it('keeps the first failure and starts nothing after it', async () => {
    const tasks = new BoundedTasks(1);
    await tasks.start(() => Promise.reject(new Error('first')));
    await expect(tasks.start(async () => undefined)).rejects.toThrow('first');
    await tasks.settled();
    expect(() => tasks.throwIfFailed()).toThrow('first');
  });
});
