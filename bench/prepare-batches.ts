import type { NetworkBatch } from '../src/model/contracts/contract.ts';
import type { Model } from '../src/model/model.ts';
import { Batcher } from '../src/shard/batch.ts';
import { decodeImage } from '../src/shard/decode.ts';
import { prepareBatch } from '../src/shard/image-tasks.ts';
import { openImage, type OpenedImage } from '../src/shard/open-image.ts';
import { openSource } from '../src/source/open-source.ts';

const LIMITS = { maxPixels: 100_000_000, timeoutSeconds: 60 };

/** The batches that a run on this source makes, one by one, with the run's own shards. */
export async function* prepareBatches(source: string, model: Model): AsyncGenerator<NetworkBatch> {
  const opened = await openSource(source);
  const { input, batch } = model.package.manifest;
  const keys = [];
  for await (const { key } of opened.list()) keys.push(key);
  const shardSize = Math.min(256, Math.max(batch.max, Math.floor(keys.length / 32)));
  for (let start = 0; start < keys.length; start += shardSize) {
    const batcher = new Batcher<OpenedImage>({ maxImages: batch.max, maxWaitingBytes: Infinity });
    const ready = [];
    for (const [position, key] of keys.slice(start, start + shardSize).entries()) {
      const context = {
        source: opened,
        maxImageBytes: Infinity,
        decodeLimits: LIMITS,
      };
      const image = await openImage({ id: start + position + 1, key }, position, context, input);
      if (!('failure' in image)) ready.push(...batcher.add(image));
    }
    for (const { padded, items } of [...ready, ...batcher.flush()]) {
      const images = await Promise.all(items.map(({ encoded }) => decodeImage(encoded, LIMITS)));
      yield prepareBatch({ images, resized: items.map(({ resized }) => resized), padded, input }).batch;
    }
  }
}
