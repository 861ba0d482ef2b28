import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import { fromS3Error } from './s3-errors.ts';
import { bucketKey, type S3Place, uriOf } from './s3-place.ts';

/** S3 allows 10,000 parts: objects of up to 156 GiB. */
const PART_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** With the part that is being filled, some 80 MB in memory for each write. */
const PARALLEL_PARTS = 4;

/** An upload that has begun longer ago has lost its writer. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Write what `body` yields: in one request if it is less than a part, else as a multipart upload, which is aborted
 * when it fails. The SDK takes a completion that answers 200 with an error inside for a failure, and tries again.
 * @throws what `body` throws; MillraceError `OBJECT_TOO_LARGE`, and those of `Storage`
 */
export async function putIterable(
  place: S3Place,
  key: string,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const uri = uriOf(place, key);
  // The abort of an upload may fail too, and would hide what its body has thrown.
  const failures: unknown[] = [];
  const chunks = watchBody(body, uri, (error) => failures.push(error));
  const upload = new Upload({
    client: place.client,
    params: { Bucket: place.bucket, Key: bucketKey(place, key), Body: Readable.from(chunks) },
    partSize: PART_BYTES,
    queueSize: PARALLEL_PARTS,
    leavePartsOnError: false,
  });
  try {
    await upload.done();
  } catch (error) {
    throw failures.length > 0 ? failures[0] : fromS3Error(error, 'write', uri);
  }
}

async function* watchBody(
  body: AsyncIterable<Uint8Array>,
  uri: string,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const limitBytes = PART_BYTES * MAX_PARTS;
  let sizeBytes = 0;
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes)
        throw new MillraceError(
          'OBJECT_TOO_LARGE',
          `${uri} would have more than ${limitBytes} bytes, which are ${MAX_PARTS} parts.`,
        );
      yield chunk;
    }
  } catch (error) {
    onError(error);
    throw error;
  }
}

/**
 * Abort the multipart uploads below the place that began more than a day before `nowMs`. Returns how many. Where the
 * credentials may not list or abort uploads, or the server cannot, none are: they only take space.
 * @throws MillraceError those of `Storage`
 */
export async function abortStaleUploads(place: S3Place, nowMs: number): Promise<number> {
  let aborted = 0;
  try {
    for await (const { Key, UploadId, Initiated } of listUploads(place)) {
      if (Key === undefined || Initiated === undefined) continue;
      if (nowMs - Initiated.getTime() < STALE_AFTER_MS) continue;
      await place.client.send(new AbortMultipartUploadCommand({ Bucket: place.bucket, Key, UploadId }));
      aborted++;
    }
  } catch (error) {
    const fault = fromS3Error(error, 'tidy up', uriOf(place, ''));
    if (!isMillraceError(fault, 'ACCESS_DENIED') && !isMillraceError(fault, 'STORAGE_NOT_SUPPORTED'))
      throw fault;
  }
  return aborted;
}

async function* listUploads({ client, bucket, prefix }: S3Place): AsyncGenerator<MultipartUpload> {
  let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const answer = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...next }),
    );
    for (const upload of answer.Uploads ?? []) yield upload;
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = answer;
    if (IsTruncated !== true || NextKeyMarker === undefined) return;
    if (NextKeyMarker === next.KeyMarker && NextUploadIdMarker === next.UploadIdMarker) return;
    next = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
  }
}
