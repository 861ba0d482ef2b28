import type { CommitDocument, PlannedImage } from '../run/documents.ts';
import { readCommit } from '../run/read-write.ts';
import type { ImageRecord } from '../run/record.ts';
import { BoundedTasks } from '../runtime/bounded-tasks.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import { type Batch, Batcher, paddedArea } from './batch.ts';
import { commitShard } from './commit.ts';
import { openImage, type OpenedImage } from './open-image.ts';
import { runBatch } from './run-batch.ts';
import type { ShardContext } from './shard-context.ts';
import { toFailedRecord } from './to-record.ts';

/** Files fetched ahead of batching. */
const FETCH_CONCURRENCY = 8;
/** Encoded images that wait for their batch to fill. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Batches of one shard under way: one being decoded, one in the session, one being drawn. */
const BATCHES_UNDER_WAY = 3;

/**
 * fetch -> header -> batch -> decode -> infer -> interpret -> annotate -> commit, for one shard. The stages overlap; which images
 * share a batch does not depend on it. A shard that has a commit is done.
 *
 * @throws the signal's reason once the batches under way are finished; MillraceError for trouble that is no image's.
 */
export async function processShard(
  { shard, generation }: { shard: number; generation: number },
  images: readonly PlannedImage[],
  context: ShardContext,
  signal: AbortSignal,
): Promise<CommitDocument> {
  const existing = await readCommit(context.output, shard, generation);
  if (existing) return existing;

  const { input, batch: batching } = context.model.package.manifest;
  const records: ImageRecord[] = [];
  const networkPixels = { total: 0, padding: 0 };
  const batcher = new Batcher<OpenedImage>({
    maxImages: Math.min(context.batchSize, batching.max),
    maxWaitingBytes: MAX_WAITING_BYTES,
  });
  const underWay = new BoundedTasks(BATCHES_UNDER_WAY);
  const keep = (position: number, record: ImageRecord): void => {
    records[position] = record;
    context.onImage(record);
  };
  const start = (batch: Batch<OpenedImage>): Promise<void> =>
    underWay.start(async () => {
      for (const { position, record } of await runBatch(batch, context)) keep(position, record);
      const { total, padding } = paddedArea(
        batch.padded,
        batch.items.map(({ resized }) => resized),
      );
      networkPixels.total += total;
      networkPixels.padding += padding;
    });

  try {
    const opened = mapOrdered(images.entries(), FETCH_CONCURRENCY, ([position, planned]) =>
      openImage(planned, position, context, input),
    );
    for await (const image of opened) {
      signal.throwIfAborted();
      if ('failure' in image) keep(image.position, toFailedRecord(image.planned, image.failure));
      else for (const batch of batcher.add(image)) await start(batch);
    }
    for (const batch of batcher.flush()) {
      signal.throwIfAborted();
      await start(batch);
    }
  } finally {
    await underWay.settled();
  }
  underWay.throwIfFailed();
  signal.throwIfAborted();
  const { output, fingerprint } = context;
  return commitShard(output, { shard, generation, records, networkPixels, fingerprint });
}
