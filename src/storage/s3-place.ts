import type { S3Client } from '@aws-sdk/client-s3';
import { MillraceError } from '../runtime/errors.ts';

/** What S3 allows for a whole key. */
const MAX_KEY_BYTES = 1024;

/** A prefix in a bucket, and how to reach it. */
export interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
}

/** The URI of an object or a prefix, for messages: what could break a line of a log is escaped. */
export function uriOf({ bucket, prefix }: S3Place, key: string): string {
  return `s3://${bucket}/${prefix}${key}`.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/**
 * The key in the bucket of a key below the place. S3 keeps more than file systems do: empty segments, `.` and `..`
 * are ordinary names.
 * @throws MillraceError `KEY_INVALID`
 */
export function bucketKey(place: S3Place, key: string): string {
  const whole = place.prefix + key;
  const reason = keyFault(key, Buffer.byteLength(whole));
  if (reason === undefined) return whole;
  throw new MillraceError(
    'KEY_INVALID',
    `The key ${JSON.stringify(key)} ${reason}; S3 keeps keys of 1 to ${MAX_KEY_BYTES} bytes of UTF-8, those of the prefix included.`,
  );
}

function keyFault(key: string, wholeBytes: number): string | undefined {
  if (key === '') return 'is empty';
  if (key.includes('\0')) return 'contains NUL';
  if (/\p{Surrogate}/u.test(key)) return 'contains half a surrogate pair, which UTF-8 cannot express';
  if (wholeBytes > MAX_KEY_BYTES) return `has ${wholeBytes} bytes with its prefix`;
  return undefined;
}
