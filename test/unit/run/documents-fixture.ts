import type { CommitDocument, RunDocument } from '../../../src/run/documents.ts';
import { manifestOf } from '../model/manifest-fixture.ts';
import { recordsKey } from '../../../src/run/layout.ts';

const DIGEST = '0'.repeat(64);

export const FINGERPRINT: CommitDocument['fingerprint'] = {
  millrace: '0',
  modelSha256: DIGEST,
  onnxruntime: '0',
  provider: 'cpu',
  cpu: 'none',
  threads: 1,
  batchSize: 1,
  ladder: 'exact',
};

export const RUN: RunDocument = {
  schema: 1,
  runId: '0123456789abcdef',
  source: 'memory://',
  model: manifestOf(),
  options: {
    scoreThreshold: 0.05,
    labelThreshold: 0.5,
    shardSize: 'auto',
    annotate: true,
    maxImageBytes: 1_000_000,
    maxImagePixels: 1_000_000,
  },
  versions: { millrace: '0', onnxruntime: '0', node: '20' },
  config: { threads: 1 },
};

/** The commit of a shard with so many labelled images, and with these failures. */
export function commitOf(
  shard: number,
  labelled: number,
  failures: CommitDocument['failures'] = {},
): CommitDocument {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return {
    schema: 1,
    shard,
    generation: 0,
    images: labelled + failed,
    labelled,
    detections: 0,
    failures,
    records: { key: recordsKey(shard, DIGEST), sha256: DIGEST, bytes: 0 },
    networkPixels: { total: 0, padding: 0 },
    fingerprint: FINGERPRINT,
  };
}
