import { MillraceError } from '../runtime/errors.ts';

/** What a path segment may have on every common file system. */
const MAX_SEGMENT_BYTES = 255;

/**
 * Refuse a key that is no path below a root folder.
 * @throws MillraceError `KEY_INVALID`
 */
export function assertKey(key: string): void {
  const reason = keyFault(key);
  if (reason !== undefined)
    throw new MillraceError(
      'KEY_INVALID',
      `The key ${JSON.stringify(key)} ${reason}; allowed are non-empty segments of at most ${MAX_SEGMENT_BYTES} bytes, separated by "/", none of them "." or "..".`,
    );
}

/**
 * The folder part of a listing prefix, without its last `/`, and what names in that folder have to start with.
 * @throws MillraceError `KEY_INVALID`
 */
export function splitPrefix(prefix: string): { readonly folder: string; readonly namePrefix: string } {
  const slash = prefix.lastIndexOf('/');
  if (slash < 0) return { folder: '', namePrefix: prefix };
  const folder = prefix.slice(0, slash);
  assertKey(folder);
  return { folder, namePrefix: prefix.slice(slash + 1) };
}

/**
 * Compare two keys by their UTF-8 bytes. JavaScript's own order is that of UTF-16 code units, which differs where
 * characters beyond U+FFFF (as surrogates, U+D800..U+DFFF) meet U+E000..U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rankInUtf8(unitA) - rankInUtf8(unitB);
  }
  return a.length - b.length;
}

/** Moves the surrogates above all other code units. */
function rankInUtf8(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit;
  return codeUnit < 0xe000 ? codeUnit + 0x2000 : codeUnit - 0x800;
}

function keyFault(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (key.includes('\0')) return 'contains NUL';
  if (/\p{Surrogate}/u.test(key)) return 'contains half a surrogate pair, which UTF-8 cannot express';
  for (const segment of key.split('/')) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return `has the segment "${segment}"`;
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
      return `has a segment of ${Buffer.byteLength(segment)} bytes`;
  }
  return undefined;
}
