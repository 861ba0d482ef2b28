import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPlaces } from '../../../src/plan/check-places.ts';

let root = '';
const at = (...names: string[]): string => path.join(root, ...names);

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'millrace-places-'));
  mkdirSync(at('photos', 'deep'), { recursive: true });
  writeFileSync(at('photos', 'a.jpg'), '');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('checkPlaces allows', () => {
  it.each([
    ['a new folder', 'out'],
    ['parents that are missing', 'new/er/out'],
    ['a name that begins like the source', 'photos-out'],
    ['a folder beside a part of the name', 'phot'],
    ['a name that begins with two dots', '..out'],
  ])('%s, and makes none', async (_, output) => {
    await expect(checkPlaces(at('photos'), at(output))).resolves.toBeUndefined();
    expect(readdirSync(root)).toEqual(['photos']);
  });

  it('a folder that is there', async () => {
    mkdirSync(at('out'));
    await expect(checkPlaces(at('photos'), at('out'))).resolves.toBeUndefined();
  });

  it('a way through the source that ends outside', async () => {
    await expect(checkPlaces(at('photos'), `${at('photos')}/../out`)).resolves.toBeUndefined();
  });

  it('an output beside a list, also in its folder', async () => {
    writeFileSync(at('photos', 'list.txt'), 'a.jpg');
    await expect(checkPlaces(at('photos', 'list.txt'), at('photos', 'out'))).resolves.toBeUndefined();
  });

  it('what is no folder of this machine', async () => {
    await expect(checkPlaces('s3://photos/2026', 's3://photos/2026/out')).resolves.toBeUndefined();
    await expect(checkPlaces(at('photos'), 's3://results')).resolves.toBeUndefined();
    await expect(checkPlaces('s3://photos', at('out'))).resolves.toBeUndefined();
  });
});

describe('checkPlaces refuses an output inside the source', () => {
  const refuse = (source: string, output: string) =>
    expect(checkPlaces(source, output)).rejects.toMatchObject({
      code: 'OUTPUT_INSIDE_SOURCE',
      message: expect.stringContaining('Choose an output beside the source'),
    });

  it.each([
    ['itself', 'photos'],
    ['a folder of it', 'photos/deep'],
    ['a new folder in it', 'photos/out/new'],
    ['a new folder with a name of dots', 'photos/..out'],
    ['a way out and in again', 'out/../photos/out'],
  ])('%s', async (_, output) => {
    await refuse(at('photos'), `${root}/${output}`);
    await refuse(pathToFileURL(`${at('photos')}/`).href, pathToFileURL(`${root}/${output}`).href);
  });

  it('of a glob', async () => {
    await refuse(`${at('photos')}/**/*.jpg`, at('photos', 'out'));
  });

  it('behind a link to the source', async () => {
    symlinkSync(at('photos'), at('link'));
    await refuse(at('photos'), at('link'));
    await refuse(at('photos'), at('link', 'out'));
    await refuse(at('link'), at('photos', 'out'));
  });

  it('behind a link to a folder of the source', async () => {
    symlinkSync(at('photos', 'deep'), at('link'));
    await refuse(at('photos'), at('link', 'out'));
  });

  it('by a link of the source, which its listing follows', async () => {
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), at('photos', 'link'));
    await refuse(at('photos'), at('photos', 'link', 'out'));
  });
});

describe('checkPlaces refuses a source', () => {
  it('that is not there', async () => {
    const message = `there is no folder ${at('none')} to label`;
    await expect(checkPlaces(at('none'), at('out'))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message,
    });
    await expect(checkPlaces(at('photos', 'a.jpg', 'b'), at('out'))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('that is a file', async () => {
    await expect(checkPlaces(at('photos', 'a.jpg'), at('out'))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('a.jpg is a file; the source is a folder of images, or a list'),
    });
  });

  it.each(['list.txt', 'list.jsonl', 'list.csv', 'coco.json'])(
    'that is a list which is not there: %s',
    async (name) => {
      await expect(checkPlaces(at(name), at('out'))).rejects.toMatchObject({
        code: 'SOURCE_NOT_FOUND',
        message: `there is no list ${at(name)} to label`,
      });
    },
  );

  it('that the system refuses', async () => {
    await expect(checkPlaces(at('x'.repeat(300)), at('out'))).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('ENAMETOOLONG'),
    });
  });
});

describe('checkPlaces refuses an output', () => {
  it.each(['file', 'file/out', 'file/new/out'])('at or below a file: %s', async (output) => {
    writeFileSync(at('file'), '');
    await expect(checkPlaces(at('photos'), at(output))).rejects.toMatchObject({
      code: 'OUTPUT_NOT_WRITABLE',
      message: `cannot write to ${at(output)}: ${at('file')} is not a folder`,
    });
  });

  it('that is a link to nothing', async () => {
    symlinkSync(at('nowhere'), at('link'));
    await expect(checkPlaces(at('photos'), at('link'))).rejects.toMatchObject({
      code: 'OUTPUT_NOT_WRITABLE',
      message: `cannot write to ${at('link')}: ${at('link')} is a link that leads nowhere`,
    });
  });

  it.each(['/proc/millrace', '/proc/millrace/new/out'])('where nothing can be made: %s', async (output) => {
    await expect(checkPlaces(at('photos'), output)).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });

  it('of a scheme that there is not', async () => {
    await expect(checkPlaces(at('photos'), 'ftp://host/out')).rejects.toMatchObject({ code: 'USAGE' });
  });
});
