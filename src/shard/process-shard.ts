import type { CommitDocument, Fingerprint, PlannedImage } from '../run/documents.ts';
import { readCommit } from '../run/read-write.ts';
import { isFailed } from '../run/record.ts';
import { commitShard } from './commit.ts';
import { readEarlierGeneration } from './earlier-generation.ts';
import { processImages } from './process-images.ts';
import type { ShardContext } from './shard-context.ts';
import { NO_NOTES } from './shard-notes.ts';
import { timed } from './stage-observer.ts';
import { Suspects } from './suspects.ts';

/**
 * Processes one shard and commits it. A shard that has a commit of this generation is done. A later generation repeats
 * only the images that have failed in the one before; the others' records are copied as they are.
 *
 * @throws the signal's reason once the batches under way are finished; MillraceError for trouble that is no image's.
 */
export async function processShard(
  { shard, generation }: { shard: number; generation: number },
  images: readonly PlannedImage[],
  context: ShardContext,
  signal: AbortSignal,
): Promise<CommitDocument> {
  const { output, fingerprint, observer, notes = NO_NOTES } = context;
  const suspects = await Suspects.read(notes, context.log);
  const existing = await readCommit(output, shard, generation);
  if (existing) {
    await suspects.clear();
    return existing;
  }
  const earlier = await readEarlierGeneration(output, { shard, generation }, images);
  const kept = new Map([...(earlier?.records ?? []).entries()].filter(([, record]) => !isFailed(record)));
  for (const record of kept.values()) context.onImage(record);
  try {
    const wanted = [...images.entries()].filter(([position]) => !kept.has(position));
    const processed = await processImages(wanted, suspects, context, signal);
    signal.throwIfAborted();
    const before = earlier?.commit.networkPixels ?? { total: 0, padding: 0 };
    const commit = await timed(observer, 'commit', () =>
      commitShard(output, {
        shard,
        generation,
        records: images.map((_, position) => kept.get(position) ?? processed.records.get(position)!),
        networkPixels: {
          total: before.total + processed.networkPixels.total,
          padding: before.padding + processed.networkPixels.padding,
        },
        fingerprint: asRun(fingerprint, processed.splitTo),
      }),
    );
    await suspects.clear();
    return commit;
  } catch (error) {
    await suspects.settle();
    throw error;
  }
}

/**
 * The batch size is what was asked for, unless a batch ran in smaller parts: for lack of memory, because an image in it
 * fails, or after a crash. On the CPU provider the size of a batch does not change an image's result, elsewhere it may.
 */
const asRun = (fingerprint: Fingerprint, splitTo: number | undefined): Fingerprint =>
  splitTo === undefined || fingerprint.provider === 'cpu'
    ? fingerprint
    : { ...fingerprint, batchSize: splitTo };
