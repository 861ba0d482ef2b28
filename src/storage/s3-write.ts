import { randomUUID } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MillraceError } from '../runtime/errors.ts';
import { backOff } from './s3-backoff.ts';
import { fromS3Error, readS3Fault } from './s3-errors.ts';
import { bucketKey, type S3Place, uriOf } from './s3-place.ts';

/** How often S3 may answer that another write to the same key is under way. */
const MAX_CONFLICTS = 8;
const WRITE_ID = 'millrace-write';

/** @throws MillraceError those of `Storage` */
export async function putBytes(place: S3Place, key: string, body: Uint8Array): Promise<void> {
  const request = {
    Bucket: place.bucket,
    Key: bucketKey(place, key),
    Body: body,
    ContentLength: body.length,
  };
  try {
    await place.client.send(new PutObjectCommand(request));
  } catch (error) {
    throw fromS3Error(error, 'write', uriOf(place, key));
  }
}

/**
 * Write with `If-None-Match: *`. When the answer to a write that succeeded is lost, the retry is refused by our own
 * object. So each call marks its object with an id, and a refused retry looks whose object is there.
 *
 * Where this throws, the object may have been written all the same; a later call is then told `false`.
 * @throws MillraceError those of `Storage`
 */
export async function createObject(place: S3Place, key: string, body: Uint8Array): Promise<boolean> {
  const writeId = randomUUID();
  const request = {
    Bucket: place.bucket,
    Key: bucketKey(place, key),
    Body: body,
    ContentLength: body.length,
    IfNoneMatch: '*',
    Metadata: { [WRITE_ID]: writeId },
  };
  let attempts = 0;
  for (let conflicts = 1; ; conflicts++) {
    try {
      await place.client.send(new PutObjectCommand(request));
      return true;
    } catch (error) {
      const fault = readS3Fault(error);
      attempts += fault.attempts;
      if (fault.status === 412) return attempts > 1 && (await wasWrittenBy(place, key, writeId));
      if (fault.status !== 409 || conflicts === MAX_CONFLICTS)
        throw fromS3Error(error, 'write', uriOf(place, key));
    }
    await backOff(conflicts);
  }
}

async function wasWrittenBy(place: S3Place, key: string, writeId: string): Promise<boolean> {
  try {
    const head = new HeadObjectCommand({ Bucket: place.bucket, Key: bucketKey(place, key) });
    return (await place.client.send(head)).Metadata?.[WRITE_ID] === writeId;
  } catch (error) {
    const { code } = readS3Fault(error);
    throw new MillraceError(
      'STORAGE_UNAVAILABLE',
      `Cannot tell who has written ${uriOf(place, key)}: ${code}. It may have been this process.`,
    );
  }
}
