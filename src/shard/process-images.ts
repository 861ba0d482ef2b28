import { isSessionGone } from '../model/run-error.ts';
import type { PlannedImage } from '../run/documents.ts';
import type { ImageRecord } from '../run/record.ts';
import { BoundedTasks } from '../runtime/bounded-tasks.ts';
import { failpoint } from '../runtime/failpoint.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import { type Batch, Batcher } from './batch.ts';
import { LostSessions } from './lost-sessions.ts';
import { openImage, type OpenedImage } from './open-image.ts';
import { runAlone } from './run-alone.ts';
import { type BatchResult, runBatch } from './run-batch.ts';
import type { ShardContext } from './shard-context.ts';
import { timed } from './stage-observer.ts';
import type { Suspects } from './suspects.ts';
import { toFailedRecord } from './to-record.ts';

/** Files fetched ahead of batching. */
const FETCH_CONCURRENCY = 8;
/** Encoded images that wait for their batch to fill. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Batches of one shard under way: one being decoded, one in the session, one being drawn. */
const BATCHES_UNDER_WAY = 3;

/** An image and its position in the shard. */
export type PositionedImage = readonly [position: number, image: PlannedImage];

export interface ProcessedImages {
  readonly records: ReadonlyMap<number, ImageRecord>;
  readonly networkPixels: { readonly total: number; readonly padding: number };
  /** Images in the smallest part of a batch that did not run as a whole. */
  readonly splitTo: number | undefined;
}

/**
 * fetch -> header -> batch -> decode -> infer -> interpret -> annotate. The stages overlap; which images share a batch
 * does not depend on it. Suspects leave their batch and run last, each alone.
 *
 * @throws the signal's reason once the batches under way are finished; MillraceError for trouble that is no image's.
 */
export async function processImages(
  images: Iterable<PositionedImage>,
  suspects: Suspects,
  context: ShardContext,
  signal: AbortSignal,
): Promise<ProcessedImages> {
  const { model, observer, turns } = context;
  const { input, batch: batching } = model.package.manifest;
  const records = new Map<number, ImageRecord>();
  const networkPixels = { total: 0, padding: 0 };
  let splitTo = Infinity;
  const lost = new LostSessions();
  const aside: OpenedImage[] = [];
  const underWay = new BoundedTasks(BATCHES_UNDER_WAY);
  const batcher = new Batcher<OpenedImage>({
    maxImages: Math.min(context.batchSize, batching.max),
    maxWaitingBytes: MAX_WAITING_BYTES,
  });

  const keep = (position: number, record: ImageRecord): void => {
    records.set(position, record);
    context.onImage(record);
    observer.image('failure' in record ? record.failure.class : 'labelled');
  };
  const take = (result: BatchResult): void => {
    for (const { position, record } of result.outcomes) keep(position, record);
    networkPixels.total += result.networkPixels.total;
    networkPixels.padding += result.networkPixels.padding;
    splitTo = Math.min(splitTo, result.splitTo ?? Infinity);
  };
  const runNoted = async (batch: Batch<OpenedImage>): Promise<void> => {
    const positions = batch.items.map(({ position }) => position);
    try {
      await suspects.begin(positions);
      take(await runBatch(batch, context));
      suspects.end(positions);
    } catch (error) {
      if (isSessionGone(error)) suspects.accuse(positions);
      else suspects.end(positions);
      if (!lost.canGoOn(error)) throw error;
      context.log.warn({ err: error, images: positions.length }, 'a session is opened anew');
      aside.push(...batch.items);
    }
  };
  const start = async (batch: Batch<OpenedImage>): Promise<void> => {
    signal.throwIfAborted();
    const items = batch.items.filter(({ position }) => !suspects.has(position));
    aside.push(...batch.items.filter(({ position }) => suspects.has(position)));
    if (items.length > 0) await underWay.start(() => turns.shared(() => runNoted({ ...batch, items })));
  };

  try {
    const opened = mapOrdered(images, FETCH_CONCURRENCY, ([position, planned]) =>
      timed(observer, 'fetch', () => openImage(planned, position, context, input)),
    );
    for await (const image of opened) {
      signal.throwIfAborted();
      failpoint('after-fetch');
      if ('failure' in image) keep(image.position, toFailedRecord(image.planned, image.failure));
      else for (const batch of batcher.add(image)) await start(batch);
    }
    for (const batch of batcher.flush()) await start(batch);
  } finally {
    await underWay.settled();
  }
  underWay.throwIfFailed();

  const mostSuspectFirst = aside.toSorted(
    (a, b) => suspects.crashes(b.position) - suspects.crashes(a.position) || a.position - b.position,
  );
  for (const item of mostSuspectFirst) {
    signal.throwIfAborted();
    take(await turns.exclusive(() => runAlone(item, suspects, lost, context)));
  }
  return { records, networkPixels, splitTo: Number.isFinite(splitTo) ? splitTo : undefined };
}
