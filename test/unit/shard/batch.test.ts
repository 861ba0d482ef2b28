import { describe, expect, it } from 'vitest';
import { type Batch, Batcher, type BatchItem, paddedArea } from '../../../src/shard/batch.ts';

interface Item extends BatchItem {
  readonly name: string;
}

const item = (name: string, height: number, width: number, bytes = 1): Item => ({
  name,
  padded: { height, width },
  bytes,
});

const names = (batches: Batch<Item>[]): string[] =>
  batches.map(({ items }) => items.map(({ name }) => name).join(''));

function batchAll(items: Item[], maxImages: number, maxWaitingBytes = Infinity): string[] {
  const batcher = new Batcher<Item>({ maxImages, maxWaitingBytes });
  return [...items.flatMap((entry) => names(batcher.add(entry))), ...names(batcher.flush())];
}

describe('Batcher', () => {
  it('batches only images of the same padded shape, in the order of the shard', () => {
    const items = [
      item('a', 32, 64),
      item('b', 64, 32),
      item('c', 32, 64),
      item('d', 64, 32),
      item('e', 32, 64),
    ];
    expect(batchAll(items, 2)).toEqual(['ac', 'bd', 'e']);
  });

  it('flushes what has not filled, oldest bucket first', () => {
    expect(batchAll([item('a', 1, 1), item('b', 2, 2), item('c', 1, 1)], 8)).toEqual(['ac', 'b']);
  });

  it('sends the fullest bucket first when too many bytes wait', () => {
    const items = [item('a', 1, 1, 10), item('b', 2, 2, 10), item('c', 2, 2, 10), item('d', 3, 3, 10)];
    expect(batchAll(items, 8, 30)).toEqual(['bc', 'a', 'd']);
  });

  it('lets an item through that is larger than the limit alone', () => {
    expect(batchAll([item('a', 1, 1, 100)], 8, 10)).toEqual(['a']);
  });

  it('makes no batch of nothing', () => {
    expect(batchAll([], 4)).toEqual([]);
  });
});

describe('paddedArea', () => {
  it('counts what is not pixels', () => {
    const sizes = [
      { height: 3, width: 4 },
      { height: 4, width: 2 },
    ];
    expect(paddedArea({ height: 4, width: 4 }, sizes)).toEqual({ total: 32, padding: 12 });
  });
});
