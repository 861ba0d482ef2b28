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
  // Versions are pinned here, and on Node 20 the warning would stand before every command's output.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  // The AWS SDK takes a third of a second to load; who works on folders does not wait for it.
  const [{ openS3Storage }, { sharedS3Client }] = await Promise.all([
    import('./s3.ts'),
    import('./s3-client.ts'),
  ]);
  return openS3Storage(location, sharedS3Client(process.env));
}
