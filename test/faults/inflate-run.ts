import { z } from 'zod';
import type { Storage } from '../../src/storage/storage.ts';
import { recordsKey } from '../../src/run/layout.ts';
import { sha256Of } from './invariants.ts';

const MASK_CHARACTERS = 40_000;

const commit = z.looseObject({ records: z.object({ key: z.string(), sha256: z.string(), bytes: z.int() }) });
const record = z.looseObject({
  detections: z.array(z.looseObject({ segmentation: z.looseObject({ counts: z.string() }) })).optional(),
});

/** Copies plan and commits of a run, with a mask of 40,000 characters for the first detection of every image. */
export async function inflateRun(from: Storage, to: Storage): Promise<void> {
  for (const prefix of ['plan', 'commits/'])
    for await (const { key } of from.list(prefix)) {
      const bytes = await from.get(key);
      await to.put(key, prefix === 'plan' ? bytes : await inflateCommit(bytes, from, to));
    }
}

async function inflateCommit(bytes: Uint8Array, from: Storage, to: Storage): Promise<Uint8Array> {
  const document = commit.parse(JSON.parse(Buffer.from(bytes).toString()));
  const lines = Buffer.from(await from.get(document.records.key))
    .toString()
    .trimEnd()
    .split('\n');
  const inflated = Buffer.from(lines.map((line) => `${inflateRecord(line)}\n`).join(''));
  const sha256 = sha256Of(inflated);
  const [, shard] = /records\/(\d+)/.exec(document.records.key) ?? [];
  const key = recordsKey(Number(shard), sha256);
  await to.put(key, inflated);
  const records = { key, sha256, bytes: inflated.length };
  return Buffer.from(JSON.stringify({ ...document, records }));
}

function inflateRecord(line: string): string {
  const image = record.parse(JSON.parse(line));
  const [first, ...others] = image.detections ?? [];
  if (!first) return line;
  const segmentation = {
    ...first.segmentation,
    counts: first.segmentation.counts.padEnd(MASK_CHARACTERS, '0'),
  };
  return JSON.stringify({ ...image, detections: [{ ...first, segmentation }, ...others] });
}
