import type { CommitDocument, PlannedImage } from '../run/documents.ts';
import { recordsKey } from '../run/layout.ts';
import { readCommit, readJsonLines } from '../run/read-write.ts';
import { type ImageRecord, imageRecord } from '../run/record.ts';
import { MillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';

export interface EarlierGeneration {
  readonly commit: CommitDocument;
  /** One an image, in the order of the plan. */
  readonly records: readonly ImageRecord[];
}

/**
 * The latest commit of a shard that is older than `generation`, with its records; undefined where there is none.
 *
 * @throws MillraceError RUN_CORRUPT where the records are damaged or not those of these images.
 */
export async function readEarlierGeneration(
  output: Storage,
  { shard, generation }: { readonly shard: number; readonly generation: number },
  images: readonly PlannedImage[],
): Promise<EarlierGeneration | undefined> {
  for (let earlier = generation - 1; earlier >= 0; earlier--) {
    const commit = await readCommit(output, shard, earlier);
    if (!commit) continue;
    // The name is made from the digest, not taken from the commit: it chooses nothing to read.
    const key = recordsKey(shard, commit.records.sha256);
    const records = await readJsonLines(output, key, commit.records.sha256, imageRecord);
    if (records.length === images.length && records.every((record, n) => record.image_id === images[n]?.id))
      return { commit, records };
    throw new MillraceError(
      'RUN_CORRUPT',
      `${output.uri}${key} does not hold the images that the plan has for shard ${shard}. ` +
        `Choose another output, or remove this one.`,
    );
  }
  return undefined;
}
