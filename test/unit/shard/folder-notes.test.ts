import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderNotes, notesFolder } from '../../../src/shard/folder-notes.ts';

const NOTE = { schema: 1, suspects: [3, 5], alone: [[5, 1]] } as const;
const note = (): { schema: 1; suspects: number[]; alone: [number, number][] } => ({
  schema: 1,
  suspects: [...NOTE.suspects],
  alone: NOTE.alone.map(([position, crashes]) => [position, crashes]),
});

const newFolder = (): string => path.join(mkdtempSync(path.join(os.tmpdir(), 'millrace-test-')), 'notes');

describe('folderNotes', () => {
  it('reads what was written, by shard and generation', async () => {
    const folder = newFolder();
    await folderNotes(folder, 7, 0).write(note());
    expect(await folderNotes(folder, 7, 0).read()).toEqual(NOTE);
    expect(await folderNotes(folder, 7, 1).read()).toBeUndefined();
    expect(await folderNotes(folder, 8, 0).read()).toBeUndefined();
  });

  it('leaves no folder behind once the last note is cleared', async () => {
    const folder = newFolder();
    const [first, second] = [folderNotes(folder, 1, 0), folderNotes(folder, 2, 0)];
    await first.write(note());
    await second.write(note());
    await first.clear();
    expect(readdirSync(folder)).toEqual(['2.0.json']);
    await second.clear();
    expect(existsSync(folder)).toBe(false);
    await second.clear();
  });

  it.each(['', '{', '{"schema":1}', '[1]'])('takes %j for no note', async (text) => {
    const folder = newFolder();
    await folderNotes(folder, 1, 0).write(note());
    writeFileSync(path.join(folder, '1.0.json'), text);
    expect(await folderNotes(folder, 1, 0).read()).toBeUndefined();
  });
});

describe('notesFolder', () => {
  it('is beside the results of a folder, and a temporary one else', () => {
    const output = path.resolve('out put');
    expect(notesFolder(pathToFileURL(output).href, 'r1')).toBe(path.join(output, '.millrace-notes'));
    expect(notesFolder('s3://bucket/out/', 'r1')).toBe(path.join(os.tmpdir(), 'millrace-notes-r1'));
  });
});
