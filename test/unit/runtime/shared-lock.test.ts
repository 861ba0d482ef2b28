import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SharedLock } from '../../../src/runtime/shared-lock.ts';

/** Tasks that say when they begin, and end when told. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async (): Promise<string> => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  return { begun, task, end: (name: string) => ends.get(name)?.() };
}

describe('SharedLock', () => {
  it('lets tasks that share run beside each other', async () => {
    const lock = new SharedLock();
    const { begun, task, end } = tasks();
    const both = Promise.all([lock.shared(task('a')), lock.shared(task('b'))]);
    await setImmediate();
    expect(begun).toEqual(['a', 'b']);
    end('a');
    end('b');
    expect(await both).toEqual(['a', 'b']);
  });

  it('runs an exclusive task after those before it and before those after it', async () => {
    const lock = new SharedLock();
    const { begun, task, end } = tasks();
    const first = lock.shared(task('first'));
    const alone = lock.exclusive(task('alone'));
    const last = lock.shared(task('last'));
    await setImmediate();
    expect(begun).toEqual(['first']);
    end('first');
    await first;
    await setImmediate();
    expect(begun).toEqual(['first', 'alone']);
    end('alone');
    await alone;
    await setImmediate();
    expect(begun).toEqual(['first', 'alone', 'last']);
    end('last');
    await last;
  });

  it('goes on after a task that fails, shared or not', async () => {
    const lock = new SharedLock();
    const trouble = new Error('no');
    await expect(lock.shared(() => Promise.reject(trouble))).rejects.toBe(trouble);
    await expect(lock.exclusive(() => Promise.reject(trouble))).rejects.toBe(trouble);
    expect(await lock.exclusive(async () => 'alone')).toBe('alone');
    expect(await lock.shared(async () => 'shared')).toBe('shared');
  });
});
