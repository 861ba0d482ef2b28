/**
 * Maps `items` with at most `concurrency` calls under way, and yields the results in the order of the items. The caller
 * sets the pace: no further call starts while results wait to be taken. The first error ends the iteration; calls under
 * way are left to settle.
 */
export async function* mapOrdered<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  call: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  for await (const item of items) {
    const result = call(item);
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length >= concurrency) yield await underWay.shift()!;
  }
  for (const result of underWay) yield await result;
}
