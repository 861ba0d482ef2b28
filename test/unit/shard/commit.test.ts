import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commitKey } from '../../../src/run/layout.ts';
import { readJsonLines } from '../../../src/run/read-write.ts';
import {
  type FailedRecord,
  type ImageRecord,
  imageRecord,
  type LabelledRecord,
} from '../../../src/run/record.ts';
import type { FailureClass } from '../../../src/runtime/image-failure.ts';
import { commitShard, type ShardResult } from '../../../src/shard/commit.ts';
import { readCommit } from '../../../src/run/read-write.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import { FINGERPRINT } from '../run/documents-fixture.ts';
import { collect } from '../storage/collect.ts';

const labelled = (image_id: number, detections: number): LabelledRecord => ({
  image_id,
  key: `${image_id}.png`,
  width: 4,
  height: 3,
  orientation: 1,
  detections: Array.from({ length: detections }, () => ({
    category_id: 1,
    score: 0.5,
    bbox_xyxy: [0, 0, 1, 1],
  })),
});

const failed = (image_id: number, failureClass: FailureClass): FailedRecord => ({
  image_id,
  key: `${image_id}.png`,
  failure: { class: failureClass, message: 'why' },
});

const resultOf = (records: readonly ImageRecord[]): ShardResult => ({
  shard: 3,
  generation: 1,
  records,
  networkPixels: { total: 100, padding: 10 },
  fingerprint: FINGERPRINT,
});

const MIXED = [
  labelled(1, 2),
  failed(2, 'empty'),
  labelled(3, 0),
  failed(4, 'empty'),
  failed(5, 'truncated'),
];

describe('commitShard', () => {
  it('writes the records under the name of their content, and counts them', async () => {
    const output = openMemoryStorage();
    const commit = await commitShard(output, resultOf(MIXED));
    const bytes = Buffer.from(MIXED.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = `records/000000003.${sha256.slice(0, 16)}.jsonl`;
    expect(commit).toEqual({
      schema: 1,
      shard: 3,
      generation: 1,
      images: 5,
      labelled: 2,
      detections: 2,
      failures: { empty: 2, truncated: 1 },
      records: { key, sha256, bytes: bytes.length },
      networkPixels: { total: 100, padding: 10 },
      fingerprint: FINGERPRINT,
    });
    expect(await readJsonLines(output, key, sha256, imageRecord)).toEqual(MIXED);
    expect((await collect(output.list(''))).map((object) => object.key)).toEqual([
      'commits/000000003.1.json',
      key,
    ]);
  });

  it('returns the commit that was there first', async () => {
    const output = openMemoryStorage();
    const winner = await commitShard(output, resultOf([labelled(1, 2)]));
    const loser = await commitShard(output, resultOf([failed(1, 'empty')]));
    expect(loser).toEqual(winner);
    expect(await readCommit(output, 3, 1)).toEqual(winner);
    const { key, sha256 } = winner.records;
    expect(await readJsonLines(output, key, sha256, imageRecord)).toEqual([labelled(1, 2)]);
  });

  it('of two at once tells both of the one that won', async () => {
    const output = openMemoryStorage();
    const commits = await Promise.all([
      commitShard(output, resultOf([labelled(1, 2)])),
      commitShard(output, resultOf([labelled(1, 3)])),
    ]);
    expect(commits[0]).toEqual(commits[1]);
    expect(await readCommit(output, 3, 1)).toEqual(commits[0]);
  });

  it('writes the same bytes for the same result', async () => {
    const [one, other] = [openMemoryStorage(), openMemoryStorage()];
    await commitShard(one, resultOf(MIXED));
    await commitShard(other, resultOf(MIXED));
    expect(await one.get(commitKey(3, 1))).toEqual(await other.get(commitKey(3, 1)));
  });

  it('makes nothing final where the records cannot be written', async () => {
    const output = openMemoryStorage();
    const full = { ...output, put: () => Promise.reject(new Error('the disk is full')) };
    await expect(commitShard(full, resultOf(MIXED))).rejects.toThrow('the disk is full');
    expect(await readCommit(output, 3, 1)).toBeUndefined();
  });
});

describe('readCommit', () => {
  it('finds none before there is one, nor that of another generation', async () => {
    const output = openMemoryStorage();
    await commitShard(output, resultOf(MIXED));
    expect(await readCommit(output, 3, 0)).toBeUndefined();
    expect(await readCommit(output, 2, 1)).toBeUndefined();
  });
});
