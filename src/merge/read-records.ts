import { createHash } from 'node:crypto';
import type { CommitDocument } from '../run/documents.ts';
import { imageRecord, type ImageRecord } from '../run/record.ts';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';

const NEWLINE = 0x0a;

/**
 * A shard's records as they stream in. That they are the ones that were committed is known only at the end: until
 * this returns, nothing that was made of them may be final.
 * @throws MillraceError `RUN_CORRUPT` when they are not, or when one is no record.
 */
export async function* readRecords(
  output: Storage,
  commit: CommitDocument,
): AsyncGenerator<ImageRecord, void, undefined> {
  const { key } = commit.records;
  const hash = createHash('sha256');
  let images = 0;
  for await (const line of splitLines(
    watched(await openRecords(output, key), (chunk) => hash.update(chunk)),
  )) {
    images += 1;
    yield parseRecord(line, `${key}, line ${images}`);
  }
  if (hash.digest('hex') !== commit.records.sha256)
    throw new MillraceError('RUN_CORRUPT', `${key} is not what was committed: its SHA-256 is another.`);
  if (images !== commit.images)
    throw new MillraceError(
      'RUN_CORRUPT',
      `${key} has ${images} records, but its shard has ${commit.images} images.`,
    );
}

async function openRecords(output: Storage, key: string): Promise<AsyncIterable<Buffer>> {
  try {
    return await output.stream(key);
  } catch (error) {
    if (!isMillraceError(error, 'OBJECT_NOT_FOUND')) throw error;
    throw new MillraceError('RUN_CORRUPT', `${key} was committed and is no longer there.`, { cause: error });
  }
}

async function* watched(
  chunks: AsyncIterable<Buffer>,
  watch: (chunk: Buffer) => void,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    watch(chunk);
    yield chunk;
  }
}

/** The lines of a UTF-8 text, without their ends. Split as bytes, since a chunk may end inside a character. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      begun.push(chunk.subarray(start, end));
      yield Buffer.concat(begun).toString();
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield Buffer.concat(begun).toString();
}

function parseRecord(line: string, where: string): ImageRecord {
  try {
    return imageRecord.parse(JSON.parse(line));
  } catch (error) {
    throw new MillraceError('RUN_CORRUPT', `${where}, is not an image's record.`, { cause: error });
  }
}
