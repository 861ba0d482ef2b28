import { createHash } from 'node:crypto';
import type { MergeContext } from '../../../src/merge/merge.ts';
import type { CommitDocument, PlanDocument } from '../../../src/run/documents.ts';
import { commitKey, PLAN_KEY, recordsKey } from '../../../src/run/layout.ts';
import {
  isFailed,
  type FailedRecord,
  type ImageRecord,
  type LabelledRecord,
} from '../../../src/run/record.ts';
import type { Storage } from '../../../src/storage/storage.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export const MANIFEST: MergeContext['manifest'] = {
  name: 'demo',
  classes: [
    { label: 1, id: 7, name: 'card', supercategory: 'document' },
    { label: 2, id: 3, name: 'pen' },
  ],
  masks: { frame: 'box', values: 'probability', threshold: 0.5, paste: 'torchvision' },
};

/** pycocotools' encoding of a 3 x 4 mask (height x width) with the lower two pixels of the second column set. */
const MASK = { counts: '426', area: 2 };

/** An image of 4 x 3 pixels with a detection for each score. */
export function labelled(
  image_id: number,
  key: string,
  scores: readonly number[],
  hasMasks = true,
): LabelledRecord {
  const detections = scores.map((score, index) => ({
    category_id: index % 2 === 0 ? 7 : 3,
    score,
    bbox_xyxy: [1, 1, 2, 3] satisfies [number, number, number, number],
    ...(hasMasks && { segmentation: MASK }),
  }));
  return { image_id, key, width: 4, height: 3, orientation: 1, detections };
}

export function failed(image_id: number, key: string, message: string): FailedRecord {
  return { image_id, key, failure: { class: 'truncated', message } };
}

/** Write `plan.json` for shards of these records. */
export async function plan(output: Storage, shards: readonly (readonly ImageRecord[])[]): Promise<void> {
  const document: PlanDocument = {
    schema: 1,
    images: shards.flat().length,
    shardSize: 2,
    parts: shards.map((records, shard) => ({ digest: sha256(json(shard)), images: records.length })),
  };
  await output.put(PLAN_KEY, json(document));
}

/** Commit a shard as a worker does. `changes` make the commit lie. */
export async function commit(
  output: Storage,
  shard: number,
  generation: number,
  records: readonly ImageRecord[],
  changes: Partial<CommitDocument> = {},
): Promise<CommitDocument> {
  const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const key = recordsKey(shard, sha256(bytes));
  await output.put(key, bytes);
  const failures = records.filter(isFailed).length;
  const document: CommitDocument = {
    schema: 1,
    shard,
    generation,
    images: records.length,
    labelled: records.length - failures,
    detections: records.reduce((sum, record) => sum + (isFailed(record) ? 0 : record.detections.length), 0),
    failures: failures > 0 ? { truncated: failures } : {},
    records: { key, sha256: sha256(bytes), bytes: bytes.length },
    networkPixels: { total: 100, padding: 10 },
    fingerprint: {
      millrace: '0',
      modelSha256: sha256(Buffer.from('model')),
      onnxruntime: '0',
      provider: 'cpu',
      cpu: 'none',
      threads: 1,
      batchSize: 1,
      ladder: 'exact',
    },
    ...changes,
  };
  await output.put(commitKey(shard, generation), json(document));
  return document;
}
