import type { S3Client } from '@aws-sdk/client-s3';
import { listObjects } from './s3-list.ts';
import { abortStaleUploads, putIterable } from './s3-multipart.ts';
import { uriOf } from './s3-place.ts';
import { getObject, statObject, streamObject } from './s3-read.ts';
import { createObject, putBytes } from './s3-write.ts';
import type { Storage } from './storage.ts';

/**
 * A prefix in a bucket as a storage. Keys are relative to the prefix, which is a folder: without a `/` at its end it
 * gets one. A bucket that does not exist is `BUCKET_NOT_FOUND`, credentials that are missing, wrong or expired are
 * `CREDENTIALS_INVALID`.
 */
export function openS3Storage(
  location: { readonly bucket: string; /** Verbatim. */ readonly prefix: string },
  client: S3Client,
): Storage {
  const prefix =
    location.prefix === '' || location.prefix.endsWith('/') ? location.prefix : `${location.prefix}/`;
  const place = { client, bucket: location.bucket, prefix };
  return {
    uri: uriOf(place, ''),
    list: (prefix) => listObjects(place, prefix),
    stat: async (key) => statObject(place, key),
    get: async (key, options = {}) => getObject(place, key, options),
    stream: async (key) => streamObject(place, key),
    put: async (key, body) =>
      body instanceof Uint8Array ? putBytes(place, key, body) : putIterable(place, key, body),
    createIfAbsent: async (key, body) => createObject(place, key, body),
    removeUnfinishedWrites: async () => abortStaleUploads(place, Date.now()),
  };
}
