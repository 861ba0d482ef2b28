import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';
import type { StorageLocation } from '../storage/uri.ts';
import { allowOnly } from './allowed-uris.ts';
import type { Reader } from './formats/list-file.ts';
import { MillraceError } from '../runtime/errors.ts';
import { listSource } from './list-source.ts';
import { parseSource } from './parse-source.ts';
import { folderUri, objectUri, printable } from './place.ts';
import { prefixSource } from './prefix-source.ts';
import type { Source } from './source.ts';

export interface SourceOptions {
  /** What may be read: URI prefixes that end at a `/`. Everything where it is not set. */
  readonly allowedUris?: readonly string[] | undefined;
  /** How storages are opened. */
  readonly openStorage?: (uri: string) => Promise<Storage>;
}

/**
 * Opens what a user or `run.json` names as a source: a folder, an S3 prefix, either with a glob, or a list (`.txt`,
 * `.jsonl`, `.csv`, a COCO `.json`, an S3 Inventory's `manifest.json`). Relative paths start at the working folder.
 * Nothing is read yet.
 *
 * @throws MillraceError USAGE, URI_NOT_ALLOWED.
 */
export async function openSource(text: string, options: SourceOptions = {}): Promise<Source> {
  const place = await parseSource(text, process.cwd());
  const { allowedUris } = options;
  const assertAllowed = allowedUris && allowOnly(allowedUris, process.cwd());
  const open = keepOpen(options.openStorage ?? openStorage);

  if (place.kind === 'list') {
    const reader: Reader = { open, assertAllowed: assertAllowed ?? assertNotLocal(place.list) };
    await reader.assertAllowed(place.list, objectUri(place.list));
    return listSource(place, reader);
  }
  const { uri, folder } = place;
  await assertAllowed?.(folder, folderUri(folder));
  return prefixSource({
    uri,
    folder,
    storage: await open(folderUri(folder)),
    ...(place.kind === 'glob' ? { glob: place.glob } : {}),
    ...(assertAllowed ? { assertAllowed } : {}),
  });
}

/** Without a word on what is allowed, a list from a bucket cannot make this machine read its own files. */
function assertNotLocal(list: StorageLocation): Reader['assertAllowed'] {
  return async (location, what) => {
    if (list.scheme === 'file' || location.scheme !== 'file') return;
    throw new MillraceError(
      'URI_NOT_ALLOWED',
      `${printable(what)} is a file of this machine, named by a list in a bucket; allow its folder with MILLRACE_ALLOWED_URIS.`,
    );
  };
}

function keepOpen(open: (uri: string) => Promise<Storage>): (uri: string) => Promise<Storage> {
  const opened = new Map<string, Promise<Storage>>();
  return (uri) => {
    const storage = opened.get(uri) ?? open(uri);
    opened.set(uri, storage);
    return storage;
  };
}
