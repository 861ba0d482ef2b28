import { fileURLToPath } from 'node:url';
import { MillraceError, toError } from '../runtime/errors.ts';
import { assertKey } from '../storage/keys.ts';
import { parseStorageUri, type StorageLocation } from '../storage/uri.ts';
import { childOf, objectUri, printable } from './place.ts';

/** An entry of a list as it stands there. */
export interface ListEntry {
  /** `file:///data/photos.txt line 3`. */
  readonly where: string;
  /** A URI or a path. */
  readonly text: string;
  readonly sizeBytes?: number;
  readonly etag?: string;
  readonly imageId?: number;
}

/** What an entry names. */
export interface NamedImage {
  readonly key: string;
  /** Set where it is not below the list's root. */
  readonly uri?: string;
  readonly location: StorageLocation;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/**
 * What an entry names, and what the run calls it: a relative path is its own key (without a leading `./`); an S3 URI's
 * key is `bucket/key`; that of an absolute path or a file URI is the path without its first `/`.
 *
 * @throws MillraceError SOURCE_INVALID for another scheme, and for a key that could leave a folder.
 */
export function nameImage({ where, text }: ListEntry, root: StorageLocation): NamedImage {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return text.startsWith('/') ? namedByPath(where, text) : namedByKey(where, text, root);
    case 's3':
      return namedByS3Uri(where, text);
    case 'file':
      return namedByPath(where, pathOf(where, text));
    default:
      throw invalid(
        where,
        `${JSON.stringify(text)} starts with ${scheme}://, and images are read from folders and S3 only` +
          `${scheme.startsWith('http') ? '; download them, or copy them to a bucket' : ''}.`,
      );
  }
}

export function invalid(where: string, problem: string, cause?: unknown): MillraceError {
  return new MillraceError('SOURCE_INVALID', printable(`${where}: ${problem}`), { cause });
}

function namedByKey(where: string, text: string, root: StorageLocation): NamedImage {
  const key = text.replace(/^(?:\.\/+)+/, '');
  assertImageKey(where, key, root.scheme);
  return { key, location: childOf(root, key) };
}

function namedByS3Uri(where: string, text: string): NamedImage {
  const location = reported(where, () => parseStorageUri(text, '/'));
  if (location.scheme !== 's3') throw invalid(where, `${JSON.stringify(text)} is no S3 URI.`);
  assertImageKey(where, location.prefix, 's3');
  return { key: `${location.bucket}/${location.prefix}`, uri: objectUri(location), location };
}

function namedByPath(where: string, path: string): NamedImage {
  const key = path.slice(1);
  assertImageKey(where, key, 'file');
  const location: StorageLocation = { scheme: 'file', folder: path };
  return { key, uri: objectUri(location), location };
}

const pathOf = (where: string, uri: string): string => reported(where, () => fileURLToPath(uri));

/** A name that, as a relative path, stays below where it starts. In a bucket empty segments and long ones are names too. */
function assertImageKey(where: string, key: string, scheme: StorageLocation['scheme']): void {
  if (scheme === 'file') reported(where, () => assertKey(key));
  const fault = keyFault(key);
  if (fault !== undefined) throw invalid(where, `the name ${JSON.stringify(key)} ${fault}.`);
}

function keyFault(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (key.includes('\0')) return 'contains NUL';
  if (key.includes('\\')) return 'has a backslash; folders are separated by "/"';
  const dots = key.split('/').find((segment) => segment === '.' || segment === '..');
  return dots === undefined ? undefined : `has the segment "${dots}"`;
}

function reported<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(where, toError(error).message, error);
  }
}
