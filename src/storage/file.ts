import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import { createFile, removeTemporaryFiles, replaceFile, TEMPORARY_FOLDER } from './atomic-write.ts';
import { etagOf, listFolder } from './folder-listing.ts';
import { assertKey, splitPrefix } from './keys.ts';
import type { Storage, StoredObject } from './storage.ts';
import { fromSystemError } from './system-error.ts';

const STREAM_CHUNK_BYTES = 256 * 1024;

/** Without `O_NONBLOCK` opening a named pipe would wait for its writer, and hold one of libuv's few threads. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/**
 * A folder as a storage: a key is the path below it. The folder need not exist; nothing is created before something
 * is written. The etag is size and modification time, so two writes of equally long contents within the clock tick of
 * the file system (some milliseconds) share one.
 */
export function openFileStorage(folder: string): Storage {
  const root = resolve(folder);

  const pathOf = (key: string): string => {
    assertKey(key);
    if (key === TEMPORARY_FOLDER || key.startsWith(`${TEMPORARY_FOLDER}/`))
      throw new MillraceError(
        'KEY_INVALID',
        `The key "${key}" is reserved: "${TEMPORARY_FOLDER}" holds unfinished writes.`,
      );
    return join(root, key);
  };

  return {
    uri: pathToFileURL(join(root, '/')).href,

    list(prefix) {
      const { folder, namePrefix } = splitPrefix(prefix);
      const start = { path: join(root, folder), keyPrefix: folder && `${folder}/`, ancestors: [] };
      return listFolder(
        start,
        (name) => name.startsWith(namePrefix) && (folder !== '' || name !== TEMPORARY_FOLDER),
      );
    },

    async stat(key) {
      const path = pathOf(key);
      try {
        const stats = await stat(path, { bigint: true });
        return stats.isFile() ? describe(key, stats) : undefined;
      } catch (error) {
        const cause = fromSystemError(error, 'read', path);
        if (isMillraceError(cause, 'OBJECT_NOT_FOUND')) return undefined;
        throw cause;
      }
    },

    async get(key, { maxBytes = Infinity, ifMatch } = {}) {
      const file = await openFile(pathOf(key));
      try {
        const { sizeBytes, etag } = describe(key, file.stats);
        if (ifMatch !== undefined && ifMatch !== etag)
          throw new MillraceError('OBJECT_CHANGED', `${file.path} is ${etag}, expected ${ifMatch}.`);
        if (sizeBytes > maxBytes)
          throw new MillraceError(
            'OBJECT_TOO_LARGE',
            `${file.path} has ${sizeBytes} bytes; at most ${maxBytes} are allowed.`,
          );
        return await readWhole(file);
      } catch (error) {
        throw fromSystemError(error, 'read', file.path);
      } finally {
        await file.handle.close();
      }
    },

    async stream(key) {
      return streamFile(await openFile(pathOf(key)));
    },

    put: async (key, body) => replaceFile(root, pathOf(key), body),

    createIfAbsent: async (key, body) => createFile(root, pathOf(key), body),

    removeUnfinishedWrites: () => removeTemporaryFiles(root, Date.now()),
  };
}

const describe = (key: string, stats: BigIntStats): StoredObject => ({
  key,
  sizeBytes: Number(stats.size),
  etag: etagOf(stats),
});

async function openFile(path: string): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, OPEN_FLAGS);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new MillraceError('OBJECT_NOT_FOUND', `${path} is not a file.`);
    return { path, handle, stats };
  } catch (error) {
    await handle?.close();
    throw fromSystemError(error, 'read', path);
  }
}

/** @throws MillraceError `OBJECT_CHANGED` when somebody writes into the file meanwhile. */
async function readWhole({ path, handle, stats }: OpenFile): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Number(stats.size));
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (etagOf(await handle.stat({ bigint: true })) !== etagOf(stats))
    throw new MillraceError('OBJECT_CHANGED', `${path} changed while it was read.`);
  return bytes;
}

function streamFile({ path, handle }: OpenFile): Readable {
  return new Readable({
    highWaterMark: STREAM_CHUNK_BYTES,
    read(sizeBytes) {
      handle.read(Buffer.allocUnsafeSlow(sizeBytes), 0, sizeBytes, null).then(
        ({ bytesRead, buffer }) => this.push(bytesRead > 0 ? buffer.subarray(0, bytesRead) : null),
        (error: unknown) => this.destroy(fromSystemError(error, 'read', path)),
      );
    },
    destroy(error, callback) {
      handle.close().then(() => callback(error), callback);
    },
  });
}
