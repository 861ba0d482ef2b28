import type { CommitDocument, Fingerprint } from '../run/documents.ts';
import { commitKey, recordsKey } from '../run/layout.ts';
import { readCommit, toJsonBytes, toJsonLines } from '../run/read-write.ts';
import { type ImageRecord, isFailed, isLabelled } from '../run/record.ts';
import { failpoint } from '../runtime/failpoint.ts';
import type { FailureClass } from '../runtime/image-failure.ts';
import { sha256Hex } from '../runtime/sha256.ts';
import type { Storage } from '../storage/storage.ts';

export interface ShardResult {
  readonly shard: number;
  readonly generation: number;
  /** One an image, in the order of the plan. */
  readonly records: readonly ImageRecord[];
  readonly networkPixels: CommitDocument['networkPixels'];
  readonly fingerprint: Fingerprint;
}

/**
 * Makes a shard's result final: records first, under the name of their content, then the commit, created only if absent.
 * Who loses that race returns the winner's commit.
 */
export async function commitShard(output: Storage, result: ShardResult): Promise<CommitDocument> {
  const { shard, generation, records, networkPixels, fingerprint } = result;
  const bytes = toJsonLines(records);
  const sha256 = sha256Hex(bytes);
  const key = recordsKey(shard, sha256);
  await output.put(key, bytes);
  failpoint('after-records');

  const labelled = records.filter(isLabelled);
  const commit: CommitDocument = {
    schema: 1,
    shard,
    generation,
    images: records.length,
    labelled: labelled.length,
    detections: labelled.reduce((sum, { detections }) => sum + detections.length, 0),
    failures: countFailures(records),
    records: { key, sha256, bytes: bytes.length },
    networkPixels,
    fingerprint,
  };
  const won = await output.createIfAbsent(commitKey(shard, generation), toJsonBytes(commit));
  failpoint('after-commit');
  return won ? commit : ((await readCommit(output, shard, generation)) ?? commit);
}

function countFailures(records: readonly ImageRecord[]): Partial<Record<FailureClass, number>> {
  const counts: Partial<Record<FailureClass, number>> = {};
  for (const record of records) {
    if (isFailed(record)) counts[record.failure.class] = (counts[record.failure.class] ?? 0) + 1;
  }
  return counts;
}
