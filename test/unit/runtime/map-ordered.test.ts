import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapOrdered } from '../../../src/runtime/map-ordered.ts';
import { collect } from '../storage/collect.ts';
import { gate } from './gate.ts';

/** Calls that end when the test opens their gates. */
function gatedCalls(count: number) {
  const gates = Array.from({ length: count }, () => gate());
  const started: number[] = [];
  const call = async (item: number): Promise<string> => {
    started.push(item);
    await gates[item]!.opened;
    return `result ${item}`;
  };
  return { gates, started, call };
}

describe('mapOrdered', () => {
  it('yields results in the order of the items, whichever ends first', async () => {
    const { gates, call } = gatedCalls(3);
    const results = collect(mapOrdered([0, 1, 2], 3, call));
    for (const { open } of gates.toReversed()) open();
    expect(await results).toEqual(['result 0', 'result 1', 'result 2']);
  });

  it.each([
    [1, [0]],
    [2, [0, 1]],
    [5, [0, 1, 2]],
  ])('with a concurrency of %i starts %j at once', async (concurrency, expected) => {
    const { gates, started, call } = gatedCalls(3);
    const first = mapOrdered([0, 1, 2], concurrency, call).next();
    await setImmediate();
    expect(started).toEqual(expected);
    gates[0]!.open();
    expect(await first).toEqual({ done: false, value: 'result 0' });
  });

  it('starts no further call while results wait to be taken', async () => {
    const { gates, started, call } = gatedCalls(4);
    for (const { open } of gates) open();
    const results = mapOrdered([0, 1, 2, 3], 2, call);
    await results.next();
    expect(started).toEqual([0, 1]);
    await results.next();
    expect(started).toEqual([0, 1, 2]);
  });

  it('starts nothing before it is asked, and yields nothing of nothing', async () => {
    const { started, call } = gatedCalls(1);
    mapOrdered([0], 1, call);
    expect(started).toEqual([]);
    expect(await collect(mapOrdered([], 2, call))).toEqual([]);
  });

  it('ends with the first error in order, after the results before it', async () => {
    const started: number[] = [];
    const taken: number[] = [];
    const call = async (item: number): Promise<number> => {
      started.push(item);
      if (item > 0) throw new Error(`item ${item}`);
      return item;
    };
    const take = async (): Promise<void> => {
      for await (const result of mapOrdered([0, 1, 2, 3, 4], 2, call)) taken.push(result);
    };
    await expect(take()).rejects.toThrow('item 1');
    expect([taken, started]).toEqual([[0], [0, 1, 2]]);
  });

  it('lets the caller leave early, also where a call under way fails later', async () => {
    const late = gate();
    const call = async (item: number): Promise<number> => {
      if (item === 0) return 0;
      await late.opened;
      throw new Error('nobody asks for it any more');
    };
    for await (const result of mapOrdered([0, 1], 2, call)) {
      expect(result).toBe(0);
      break;
    }
    late.open();
    // An unhandled rejection would fail the run here.
    await setImmediate();
  });
});
