import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type CliResult,
  demoImages,
  demoModel,
  millrace,
  readJsonFile,
  temporaryFolder,
} from './helpers/cli.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder, ...names);
const PHOTOS = ['a/two-cards.jpg', 'b/one-card.jpg', 'c/no-card.jpg'] as const;
for (const photo of PHOTOS) {
  mkdirSync(at('photos', path.dirname(photo)), { recursive: true });
  copyFileSync(path.join(demoImages, 'desk', path.basename(photo)), at('photos', photo));
}

const dataset = z.object({
  images: z.array(z.object({ id: z.int(), file_name: z.string() })),
  annotations: z.array(z.object({ image_id: z.int(), bbox: z.array(z.number()), score: z.number() })),
});

const label = (
  source: string,
  output: string,
  environment: Record<string, string> = {},
): Promise<CliResult> =>
  millrace(
    [
      'run',
      source,
      '--model',
      demoModel,
      '--output',
      at(output),
      '--no-annotate',
      '--max-failures',
      '100%',
      '--json',
    ],
    { environment, workingFolder: folder },
  );

/** Ids and names as they are in `annotations.json`, and what was found in each image, by the name of its file. */
function labelled(output: string) {
  const { images, annotations } = dataset.parse(readJsonFile(at(output), 'annotations.json'));
  const found = images.map(({ id, file_name }) => [
    path.posix.basename(file_name),
    annotations.filter(({ image_id }) => image_id === id).map(({ bbox, score }) => ({ bbox, score })),
  ]);
  return {
    images: images.map(({ id, file_name }) => [id, file_name]),
    found: Object.fromEntries(found) as unknown,
  };
}

describe('millrace run finds the same in the same images, named', () => {
  let expected: unknown;
  beforeAll(async () => {
    const { exitCode, stderr } = await label('photos', 'folder');
    expect(exitCode, stderr).toBe(0);
    const { images, found } = labelled('folder');
    expect(images).toEqual(PHOTOS.map((photo, index) => [index + 1, photo]));
    expect(JSON.stringify(found)).toContain('"bbox":[');
    expected = found;
  });

  const check = async (source: string, images: readonly (readonly [number, string])[]): Promise<void> => {
    const output = `${path.basename(source).replaceAll(/[^a-z]/g, '-')}-out`;
    const { exitCode, stderr } = await label(source, output);
    expect(exitCode, stderr).toBe(0);
    expect(labelled(output)).toEqual({ images, found: expected });
    // Resuming finds the run again, by the source as run.json says it.
    expect(JSON.parse((await label(source, output)).stdout)).toMatchObject({ alreadyComplete: true });
  };

  it('by a glob', async () => {
    await check('photos/[a-c]/*card*.jpg', [
      [1, 'a/two-cards.jpg'],
      [2, 'b/one-card.jpg'],
      [3, 'c/no-card.jpg'],
    ]);
  });

  it('by a list of paths and URIs, in its order', async () => {
    const [two, one, none] = PHOTOS;
    const absolute = at('photos', one);
    const uri = pathToFileURL(at('photos', none)).href;
    writeFileSync(at('list.txt'), `# three\n${uri}\n\n./photos/${two}\n${absolute}\n`);
    await check('list.txt', [
      [1, at('photos', none).slice(1)],
      [2, `photos/${two}`],
      [3, absolute.slice(1)],
    ]);
  });

  it('by a table', async () => {
    writeFileSync(
      at('photos', 'table.csv'),
      `camera,path\r\n${PHOTOS.map((photo) => `1,"${photo}"\r\n`).join('')}`,
    );
    await check(
      'photos/table.csv',
      PHOTOS.map((photo, index) => [index + 1, photo] as const),
    );
  });

  it('by a COCO dataset, with its ids', async () => {
    const images = PHOTOS.map((photo, index) => ({
      id: 1000 - index,
      file_name: photo,
      width: 1,
      height: 1,
    }));
    mkdirSync(at('annotations'));
    writeFileSync(
      at('annotations', 'coco.json'),
      JSON.stringify({ info: {}, annotations: [], images, categories: [] }),
    );
    await check(
      'annotations/coco.json?root=../photos',
      images.map(({ id, file_name }) => [id, file_name] as const),
    );
  });
});

describe('millrace run on a list', () => {
  it('accounts for what is not there', async () => {
    writeFileSync(at('gone.txt'), `photos/${PHOTOS[0]}\nphotos/gone.jpg\n`);
    const { exitCode, stdout, stderr } = await label('gone.txt', 'gone');
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ images: 2, labelled: 1, failures: { not_found: 1 } });
  });

  it('refuses what is named twice, and plans nothing', async () => {
    writeFileSync(at('twice.txt'), `photos/${PHOTOS[0]}\nphotos/${PHOTOS[1]}\nphotos/${PHOTOS[0]}\n`);
    const { exitCode, stderr } = await label('twice.txt', 'twice');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /twice\.txt line 3: the image "photos\/a\/two-cards\.jpg" is there already: .*twice\.txt line 1/,
    );
    expect(existsSync(at('twice', 'plan.json'))).toBe(false);
  });

  it('reads nothing outside what is allowed', async () => {
    writeFileSync(at('photos', 'outside.txt'), `${PHOTOS[0]}\n/etc/hostname\n`);
    const allowed = { MILLRACE_ALLOWED_URIS: `${at('photos')},${at('outside')}` };
    const { exitCode, stderr } = await label('photos/outside.txt', 'outside', allowed);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /outside\.txt line 2: file:\/\/\/etc\/hostname lies outside what this process may touch/,
    );
    expect(existsSync(at('outside', 'plan.json'))).toBe(false);
  });
});
