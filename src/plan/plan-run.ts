import { PLAN_KEY, planPartKey } from '../run/layout.ts';
import { type PlanDocument, type PlannedImage, plannedImage } from '../run/documents.ts';
import { readJsonLines, readPlan, toJsonLines } from '../run/read-write.ts';
import type { Storage } from '../storage/storage.ts';
import { failpoint } from '../runtime/failpoint.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import { sha256Hex } from '../runtime/sha256.ts';
import type { SourceImage } from '../source/source.ts';

const MAX_SHARD_SIZE = 256;
/** A small run still has about this many shards, so that several workers share it and a kill costs little. */
const SHARDS_OF_A_SMALL_RUN = 32;
/** Parts are small: so many are written at once, to hide the latency of a bucket. */
const WRITE_CONCURRENCY = 16;

/**
 * Cuts the listing into shards and makes it final. The parts are content-addressed and `plan.json` is created only if
 * absent: of two planners one wins, whole, and both return the winner's plan.
 *
 * An `auto` shard is a 32nd of the images, at most 256, and at least `minAutoShardSize`: batches never cross shards, so
 * a shard smaller than the model's batch would leave every batch short.
 */
export async function planRun(
  output: Storage,
  images: AsyncIterable<SourceImage>,
  shardSize: number | 'auto',
  minAutoShardSize: number,
): Promise<PlanDocument> {
  const existing = await readPlan(output);
  if (existing) return existing;
  const listing = images[Symbol.asyncIterator]();
  const head: SourceImage[] = [];
  const size = shardSize === 'auto' ? await sizeByCount(listing, head, minAutoShardSize) : shardSize;

  const parts: PlanDocument['parts'] = [];
  let planned = 0;
  const written = mapOrdered(
    cut(concat(head, listing), size),
    WRITE_CONCURRENCY,
    async ({ shard, images }) => {
      const bytes = toJsonLines(images);
      const digest = sha256Hex(bytes);
      await output.put(planPartKey(shard, digest), bytes);
      failpoint('in-plan');
      return { digest, images: images.length };
    },
  );
  for await (const part of written) {
    parts.push(part);
    planned += part.images;
  }

  const plan: PlanDocument = { schema: 1, images: planned, shardSize: size, parts };
  const won = await output.createIfAbsent(PLAN_KEY, toJsonLines([plan]));
  return won ? plan : ((await readPlan(output)) ?? plan);
}

/** Running numbers are the ids where the source has none of its own. */
async function* cut(
  images: AsyncIterable<SourceImage>,
  size: number,
): AsyncGenerator<{ readonly shard: number; readonly images: PlannedImage[] }> {
  let shard = 0;
  let count = 0;
  let part: PlannedImage[] = [];
  for await (const { key, uri, sizeBytes, etag, imageId } of images) {
    count += 1;
    part.push({ id: imageId ?? count, key, uri, size: sizeBytes, etag });
    if (part.length < size) continue;
    yield { shard: shard++, images: part };
    part = [];
  }
  if (part.length > 0) yield { shard, images: part };
}

/** The images of one shard, in order. */
export async function readShard(output: Storage, plan: PlanDocument, shard: number): Promise<PlannedImage[]> {
  const part = plan.parts[shard];
  if (!part) throw new RangeError(`shard ${shard} of ${plan.parts.length}`);
  return readJsonLines(output, planPartKey(shard, part.digest), part.digest, plannedImage);
}

/** Reads as much of the listing into `head` as decides the shard size. */
async function sizeByCount(
  listing: AsyncIterator<SourceImage>,
  head: SourceImage[],
  minSize: number,
): Promise<number> {
  while (head.length < MAX_SHARD_SIZE * SHARDS_OF_A_SMALL_RUN) {
    const next = await listing.next();
    if (next.done) break;
    head.push(next.value);
  }
  return Math.min(MAX_SHARD_SIZE, Math.max(minSize, Math.floor(head.length / SHARDS_OF_A_SMALL_RUN)));
}

async function* concat<T>(head: readonly T[], tail: AsyncIterator<T>): AsyncGenerator<T> {
  yield* head;
  for (let next = await tail.next(); !next.done; next = await tail.next()) yield next.value;
}
