import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError, systemCode } from '../runtime/errors.ts';
import { fromSystemError } from '../storage/system-error.ts';
import { parseStorageUri, type StorageLocation } from '../storage/uri.ts';
import { printable } from './place.ts';

/** Throws URI_NOT_ALLOWED for a place outside the allowed ones. `what` names the place in the message. */
export type AssertAllowed = (location: StorageLocation, what: string) => Promise<void>;

/**
 * A guard that lets pass what lies in one of `allowedUris`: equal to it or below it at a `/`. Local places are compared
 * as the system resolves them, symbolic links included; keys of a bucket verbatim, `.` and `..` in them refused.
 *
 * @throws MillraceError USAGE for an allowed URI that is none.
 */
export function allowOnly(allowedUris: readonly string[], workingFolder: string): AssertAllowed {
  const roots = allowedUris.map((uri) => parseStorageUri(uri, workingFolder));
  const resolvedRoots = Promise.all(roots.map(segmentsOf));
  // Awaited with the first place that is asked for.
  resolvedRoots.catch(() => undefined);
  return async (location, what) => {
    const segments = await segmentsOf(location);
    const isSafe = location.scheme === 'file' || !segments.some((segment) => /^\.{1,2}$/.test(segment));
    if (isSafe && (await resolvedRoots).some((root) => isInside(root, segments))) return;
    throw new MillraceError(
      'URI_NOT_ALLOWED',
      `${printable(what)} lies outside what this process may touch (MILLRACE_ALLOWED_URIS: ${allowedUris.join(', ')})`,
    );
  };
}

/**
 * Throws where `uri` (a storage, a source's folder or list) lies outside `allowedUris`; everything is allowed without.
 *
 * @throws MillraceError URI_NOT_ALLOWED, USAGE.
 */
export async function assertUriAllowed(uri: string, allowedUris?: readonly string[]): Promise<void> {
  if (!allowedUris) return;
  const assertAllowed = allowOnly(allowedUris, process.cwd());
  await assertAllowed(parseStorageUri(uri, process.cwd()), uri);
}

/** Scheme, bucket and path, one by one; without a `/` at the end. */
async function segmentsOf(location: StorageLocation): Promise<readonly string[]> {
  const [head, rest] =
    location.scheme === 'file'
      ? (['file', await realPlace(location.folder)] as const)
      : ([`s3 ${location.bucket}`, location.prefix] as const);
  const segments = rest.split('/');
  if (segments.at(-1) === '') segments.pop();
  return location.scheme === 'file' ? [head, ...segments.slice(1)] : [head, ...segments];
}

const isInside = (root: readonly string[], place: readonly string[]): boolean =>
  root.length <= place.length && root.every((segment, index) => segment === place[index]);

/** What there is no opening through either. */
const LEADS_NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** The real path of what is there, and of the nearest folder above what is not. */
async function realPlace(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch (error) {
    const parent = path.dirname(place);
    if (LEADS_NOWHERE.has(systemCode(error) ?? '') && parent !== place)
      return path.join(await realPlace(parent), path.basename(place));
    throw fromSystemError(error, 'read', place);
  }
}
