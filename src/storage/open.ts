import { MillraceError } from '../runtime/errors.ts';
import { openFileStorage } from './file.ts';
import type { Storage } from './storage.ts';
import { parseStorageUri } from './uri.ts';

/**
 * Open the storage that a URI or a path names; relative paths start at the process's working folder. Touches nothing:
 * the place need not exist yet.
 * @throws MillraceError `USAGE`
 */
export async function openStorage(uri: string): Promise<Storage> {
  const location = parseStorageUri(uri, process.cwd());
  if (location.scheme === 'file') return openFileStorage(location.folder);
  throw new MillraceError(
    'USAGE',
    `Cannot open ${uri}: this version of Millrace reads and writes local folders only. Copy the objects to a folder first.`,
  );
}
