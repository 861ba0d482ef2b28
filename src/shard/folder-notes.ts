import { mkdir, readFile, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCode } from '../runtime/errors.ts';
import { type ShardNote, shardNote, type ShardNotes } from './shard-notes.ts';

const FOLDER = '.millrace-notes';

/**
 * Where a run on the embedded queue keeps its notes: beside its results, or, where these are in no folder, among the
 * machine's temporary files.
 */
export function notesFolder(outputUri: string, runId: string): string {
  return outputUri.startsWith('file:')
    ? path.join(fileURLToPath(outputUri), FOLDER)
    : path.join(os.tmpdir(), `millrace-notes-${runId}`);
}

/** Removes what processes that were killed have left: a shard that was committed is not taken again. */
export async function removeNotes(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/**
 * Notes in one file a shard; the folder is there only while there are some. They are to survive the process, not the
 * machine, so nothing waits for the disk.
 */
export function folderNotes(folder: string, shard: number, generation: number): ShardNotes {
  const file = path.join(folder, `${shard}.${generation}.json`);
  const temporary = `${file}.tmp`;
  return {
    read: async () => {
      try {
        return shardNote.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
      } catch (error) {
        if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
    write: async (note: ShardNote) => {
      const text = JSON.stringify(note);
      // Another shard's end may remove the empty folder.
      await writeFile(temporary, text).catch(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(temporary, text);
      });
      await rename(temporary, file);
    },
    clear: async () => {
      await unlink(temporary).catch(ignoring('ENOENT'));
      await unlink(file).catch(ignoring('ENOENT'));
      await rmdir(folder).catch(ignoring('ENOENT', 'ENOTEMPTY', 'EEXIST'));
    },
  };
}

const ignoring =
  (...codes: readonly string[]) =>
  (error: unknown): void => {
    if (!codes.includes(systemCode(error) ?? '')) throw error;
  };
