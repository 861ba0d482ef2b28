import { stat } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError } from '../runtime/errors.ts';
import { parseStorageUri, type StorageLocation } from '../storage/uri.ts';
import { folderUri, GLOB_CHARACTERS, objectUri } from './place.ts';

export type ListFormat = 'txt' | 'jsonl' | 'csv' | 'coco' | 'inventory';

/** What a source's text means. `uri` is canonical: absolute, and read again it means the same on every machine. */
export type SourcePlace =
  | {
      readonly kind: 'prefix';
      readonly uri: string;
      readonly folder: StorageLocation;
    }
  | {
      readonly kind: 'glob';
      readonly uri: string;
      readonly folder: StorageLocation;
      /** Matched against the keys below `folder`. */
      readonly glob: string;
    }
  | {
      readonly kind: 'list';
      readonly uri: string;
      readonly format: ListFormat;
      /** The list itself. */
      readonly list: StorageLocation;
      /** What its relative entries are below. */
      readonly root: StorageLocation;
    };

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const LIST = /\.(?:txt|jsonl|csv|json)$/i;
const LIST_WITH_ROOT = /^(.+\.(?:txt|jsonl|csv|json))\?root=(.+)$/is;

/**
 * Reads what a user names as a source: a folder, an S3 prefix, either with a glob, or a list. A path without a scheme
 * means what is there under exactly this name, before it means a glob.
 *
 * @throws MillraceError USAGE.
 */
export async function parseSource(text: string, workingFolder: string): Promise<SourcePlace> {
  if (SCHEME.test(text)) return parseSourceUri(text);
  const [, listText = text, rootText] = LIST_WITH_ROOT.exec(text) ?? [];
  const location = parseStorageUri(listText, workingFolder);
  const found = location.scheme === 'file' ? await stat(location.folder).catch(() => undefined) : undefined;
  if (found?.isDirectory() && rootText === undefined) return prefixPlace(location);
  if (!found && GLOB_CHARACTERS.test(listText)) return globPlace(listText, workingFolder);
  return LIST.test(listText) ? listPlace(location, rootText) : prefixPlace(location);
}

/**
 * `parseSource` of a text with a scheme, which means the same everywhere: `run.json` says such a one.
 *
 * @throws MillraceError USAGE.
 */
export function parseSourceUri(text: string): SourcePlace {
  const [, listText = text, rootText] = LIST_WITH_ROOT.exec(text) ?? [];
  if (GLOB_CHARACTERS.test(listText)) return globPlace(listText, '/');
  const location = parseStorageUri(listText, '/');
  return LIST.test(listText) ? listPlace(location, rootText) : prefixPlace(location);
}

/** What stands before a source's keys to say where an image is: `bucket/prefix/` of an S3 prefix, else nothing. */
export function keyPrefixOf(sourceUri: string): string {
  const place = parseSourceUri(sourceUri);
  if (place.kind === 'list' || place.folder.scheme !== 's3') return '';
  return folderUri(place.folder).slice('s3://'.length);
}

const prefixPlace = (folder: StorageLocation): SourcePlace => ({
  kind: 'prefix',
  uri: folderUri(folder),
  folder,
});

function globPlace(text: string, workingFolder: string): SourcePlace {
  const literal = text.slice(0, text.search(GLOB_CHARACTERS));
  const folderText = literal.slice(0, literal.lastIndexOf('/') + 1);
  const rest = text.slice(folderText.length);
  const segments = rest.replace(/\/$/, '').split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new MillraceError(
      'USAGE',
      `Cannot use ${JSON.stringify(text)} as a source: from its first "*", "?", "[" or "{" on, a glob has no empty segment, no "." and no "..".`,
    );
  }
  const folder = parseStorageUri(folderText === '' ? '.' : folderText, workingFolder);
  const glob = rest.endsWith('/') ? `${rest}**` : rest;
  return { kind: 'glob', uri: folderUri(folder) + glob, folder, glob };
}

function listPlace(list: StorageLocation, rootText: string | undefined): SourcePlace {
  const folder = parentOf(list);
  const root = rootText === undefined ? folder : rootPlace(folder, rootText);
  const suffix = rootText === undefined ? '' : `?root=${folderUri(root)}`;
  return { kind: 'list', uri: objectUri(list) + suffix, format: formatOf(list), list, root };
}

function parentOf(location: StorageLocation): StorageLocation {
  if (location.scheme === 'file') return { scheme: 'file', folder: path.dirname(location.folder) };
  return { ...location, prefix: location.prefix.slice(0, location.prefix.lastIndexOf('/') + 1) };
}

/** Like the entries themselves, a relative root starts at the list's own folder. */
function rootPlace(folder: StorageLocation, text: string): StorageLocation {
  if (SCHEME.test(text) || path.isAbsolute(text)) return parseStorageUri(text, '/');
  if (folder.scheme === 'file') return parseStorageUri(text, folder.folder);
  return { ...folder, prefix: path.posix.join('/', folder.prefix, text, '/').slice(1) };
}

function formatOf(list: StorageLocation): ListFormat {
  const name = path.posix.basename(list.scheme === 'file' ? list.folder : list.prefix).toLowerCase();
  if (name === 'manifest.json') return 'inventory';
  if (name.endsWith('.json')) return 'coco';
  if (name.endsWith('.jsonl')) return 'jsonl';
  return name.endsWith('.csv') ? 'csv' : 'txt';
}
