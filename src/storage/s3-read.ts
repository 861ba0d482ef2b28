import { constants } from 'node:buffer';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import { backOff } from './s3-backoff.ts';
import { fromS3Error, readS3Fault } from './s3-errors.ts';
import { bucketKey, type S3Place, uriOf } from './s3-place.ts';
import type { StoredObject } from './storage.ts';

/** How often in a row a body may break off before its reader is told. */
const MAX_BROKEN_BODIES = 5;
const STREAM_CHUNK_BYTES = 256 * 1024;

interface Body {
  readonly bytes: Readable;
  /** Of the whole object. */
  readonly sizeBytes: number;
  readonly etag: string | undefined;
}

interface BodyRequest {
  readonly ifMatch?: string | undefined;
  readonly fromByte?: number;
  readonly signal?: AbortSignal;
}

/** S3 shows etags in quotes, `StoredObject` without. */
export const unquoted = (etag: string): string => etag.replace(/^"(.*)"$/, '$1');

/** @throws MillraceError those of `Storage` */
export async function statObject(place: S3Place, key: string): Promise<StoredObject | undefined> {
  const request = { Bucket: place.bucket, Key: bucketKey(place, key) };
  try {
    return describe(place, key, await place.client.send(new HeadObjectCommand(request)));
  } catch (error) {
    // The answer to HEAD has no body: is the object missing or the bucket, are rights missing or the credentials wrong?
    if ([400, 403, 404].includes(readS3Fault(error).status ?? 0)) return statByGet(place, key);
    throw fromS3Error(error, 'read', uriOf(place, key));
  }
}

async function statByGet(place: S3Place, key: string): Promise<StoredObject | undefined> {
  try {
    const { bytes, sizeBytes, etag } = await openBody(place, key, {});
    bytes.destroy();
    return describe(place, key, { ContentLength: sizeBytes, ETag: etag });
  } catch (error) {
    if (isMillraceError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
}

function describe(
  place: S3Place,
  key: string,
  answer: { readonly ContentLength?: number | undefined; readonly ETag?: string | undefined },
): StoredObject {
  if (answer.ContentLength === undefined || answer.ETag === undefined) throw incomplete(place, key);
  return { key, sizeBytes: answer.ContentLength, etag: unquoted(answer.ETag) };
}

/**
 * The whole object. A body that breaks off, or is shorter than announced, is asked for again; it is never returned.
 * @throws MillraceError `OBJECT_TOO_LARGE` before the body is read, `OBJECT_CHANGED`, and those of `Storage`
 */
export async function getObject(
  place: S3Place,
  key: string,
  { maxBytes = constants.MAX_LENGTH, ifMatch }: { maxBytes?: number; ifMatch?: string },
): Promise<Uint8Array> {
  for (let failures = 1; ; failures++) {
    const { bytes, sizeBytes } = await openBody(place, key, { ifMatch });
    if (sizeBytes > maxBytes) {
      bytes.destroy();
      throw new MillraceError(
        'OBJECT_TOO_LARGE',
        `${uriOf(place, key)} has ${sizeBytes} bytes; at most ${maxBytes} are allowed.`,
      );
    }
    try {
      return await readExactly(bytes, sizeBytes);
    } catch (error) {
      if (failures >= MAX_BROKEN_BODIES) throw brokenBody(place, key, failures, error);
      await backOff(failures);
    }
  }
}

async function readExactly(bytes: Readable, sizeBytes: number): Promise<Uint8Array> {
  const content = Buffer.allocUnsafeSlow(sizeBytes);
  let length = 0;
  for await (const chunk of chunksOf(bytes)) {
    if (length + chunk.length > sizeBytes) throw new RangeError('more bytes than announced');
    content.set(chunk, length);
    length += chunk.length;
  }
  if (length < sizeBytes) throw new RangeError('fewer bytes than announced');
  return content;
}

/**
 * The object as a stream that asks for the rest, of the same version, when the connection breaks.
 * @throws MillraceError as `getObject`; what happens later destroys the stream
 */
export async function streamObject(place: S3Place, key: string): Promise<Readable> {
  const stop = new AbortController();
  const chunks = resumingChunks(place, key, await openBody(place, key, { signal: stop.signal }), stop.signal);
  return new Readable({
    highWaterMark: STREAM_CHUNK_BYTES,
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(fromS3Error(error, 'read', uriOf(place, key))),
      );
    },
    destroy(error, callback) {
      stop.abort();
      callback(error);
    },
  });
}

async function* resumingChunks(
  place: S3Place,
  key: string,
  first: Body,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, undefined> {
  const { sizeBytes, etag } = first;
  let [body, fromByte, failures] = [first, 0, 0];
  for (;;) {
    try {
      for await (const chunk of chunksOf(body.bytes)) {
        fromByte += chunk.length;
        failures = 0;
        if (chunk.length > 0) yield chunk;
      }
      if (fromByte === sizeBytes) return;
      throw new RangeError(fromByte > sizeBytes ? 'more bytes than announced' : 'fewer bytes than announced');
    } catch (error) {
      failures++;
      // An error after the last byte is a checksum that does not match: the reader has bad bytes already.
      if (etag === undefined || fromByte >= sizeBytes || failures >= MAX_BROKEN_BODIES)
        throw brokenBody(place, key, failures, error);
    }
    await backOff(failures, signal);
    body = await openBody(place, key, { ifMatch: etag, fromByte, signal });
  }
}

async function openBody(
  place: S3Place,
  key: string,
  { ifMatch, fromByte = 0, signal }: BodyRequest,
): Promise<Body> {
  const command = new GetObjectCommand({
    Bucket: place.bucket,
    Key: bucketKey(place, key),
    ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
    ...(fromByte === 0 ? {} : { Range: `bytes=${fromByte}-` }),
  });
  try {
    const answer = await place.client.send(command, signal === undefined ? {} : { abortSignal: signal });
    const { Body: bytes, ContentLength, ContentRange, ETag } = answer;
    if (!(bytes instanceof Readable)) throw incomplete(place, key);
    // Whoever leaves the body learns nothing of how it ends.
    bytes.on('error', () => {});
    const isRangeAsAsked = fromByte === 0 || ContentRange?.startsWith(`bytes ${fromByte}-`) === true;
    if (ContentLength === undefined || !isRangeAsAsked) {
      bytes.destroy();
      throw incomplete(place, key);
    }
    return {
      bytes,
      sizeBytes: fromByte + ContentLength,
      etag: ETag === undefined ? undefined : unquoted(ETag),
    };
  } catch (error) {
    throw fromS3Error(error, 'read', uriOf(place, key));
  }
}

async function* chunksOf(bytes: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('the body is no bytes');
    yield chunk;
  }
}

const incomplete = (place: S3Place, key: string): MillraceError =>
  new MillraceError(
    'STORAGE_UNAVAILABLE',
    `Cannot read ${uriOf(place, key)}: the answer lacks a length, an etag or the range that was asked for.`,
  );

function brokenBody(place: S3Place, key: string, failures: number, error: unknown): MillraceError {
  return new MillraceError(
    'STORAGE_UNAVAILABLE',
    `Cannot read ${uriOf(place, key)}: the body broke off ${failures} times in a row (${readS3Fault(error).code}).`,
  );
}
