import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError, toError } from '../runtime/errors.ts';

/** A place that a user has named, before it is opened. */
export type StorageLocation =
  | { readonly scheme: 'file'; /** Absolute. */ readonly folder: string }
  | { readonly scheme: 's3'; readonly bucket: string; /** Verbatim. */ readonly prefix: string };

/**
 * Read `file:///data/photos/`, a path (relative to `workingFolder`) or `s3://bucket/prefix/`. A file URI is
 * percent-decoded; a path and an S3 prefix are taken as they are.
 * @throws MillraceError `USAGE`
 */
export function parseStorageUri(text: string, workingFolder: string): StorageLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (text === '') throw usage(text, 'it is empty');
  switch (scheme) {
    case undefined:
      return { scheme: 'file', folder: resolve(workingFolder, text) };
    case 'file':
      return { scheme: 'file', folder: filePath(text) };
    case 's3':
      return s3Location(text);
    default:
      throw usage(text, `"${scheme}://" is not supported`);
  }
}

function filePath(text: string): string {
  try {
    return resolve(fileURLToPath(text));
  } catch (error) {
    throw usage(text, toError(error).message, error);
  }
}

function s3Location(text: string): StorageLocation {
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(text) ?? [];
  if (bucket === undefined) throw usage(text, 'a bucket name has 3 to 63 letters, digits, "." and "-"');
  return { scheme: 's3', bucket, prefix: prefix ?? '' };
}

function usage(text: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'USAGE',
    `Cannot use ${JSON.stringify(text)} as a place: ${reason}. Give a folder, a file:///absolute/path/ or s3://bucket/prefix/.`,
    { cause },
  );
}
