import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyPrefixOf, parseSource, parseSourceUri } from '../../../src/source/parse-source.ts';

let root = '';
const at = (...names: string[]): string => path.join(root, ...names);
const url = (...names: string[]): string => pathToFileURL(at(...names)).href;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'millrace-source-'));
  mkdirSync(at('photos'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('parseSource of a URI', () => {
  it.each([
    ['s3://photos', { kind: 'prefix', uri: 's3://photos/' }],
    ['s3://photos/2026', { kind: 'prefix', uri: 's3://photos/2026/' }],
    ['s3://photos/a (1)/', { kind: 'prefix', uri: 's3://photos/a (1)/' }],
    ['file:///data/a%20b', { kind: 'prefix', uri: 'file:///data/a%20b/' }],
    ['file:///data/%5B1%5D/', { kind: 'prefix', uri: 'file:///data/%5B1%5D/' }],
    [
      's3://photos/2026/**/cam-*/[0-9]*.jpg',
      { kind: 'glob', folder: { prefix: '2026/' }, glob: '**/cam-*/[0-9]*.jpg' },
    ],
    ['s3://photos/img-*.jpg', { kind: 'glob', folder: { prefix: '' }, glob: 'img-*.jpg' }],
    ['s3://photos/2026-*/', { kind: 'glob', uri: 's3://photos/2026-*/**', glob: '2026-*/**' }],
    ['s3://photos/a/\\[1\\]/*.jpg', { kind: 'glob', folder: { prefix: 'a/' }, glob: '\\[1\\]/*.jpg' }],
    ['file:///data/%5B1%5D/*.png', { kind: 'glob', folder: { folder: '/data/[1]' }, glob: '*.png' }],
    [
      's3://lists/2026/a.txt',
      { kind: 'list', format: 'txt', uri: 's3://lists/2026/a.txt', root: { prefix: '2026/' } },
    ],
    ['s3://lists/a.JSONL', { kind: 'list', format: 'jsonl', root: { prefix: '' } }],
    ['s3://lists/a.csv', { kind: 'list', format: 'csv' }],
    ['s3://lists/coco.json', { kind: 'list', format: 'coco' }],
    ['s3://lists/x/manifest.json', { kind: 'list', format: 'inventory' }],
    [
      's3://lists/coco/val.json?root=../val2017',
      { kind: 'list', format: 'coco', uri: 's3://lists/coco/val.json?root=s3://lists/val2017/' },
    ],
    ['s3://lists/val.json?root=../../x', { uri: 's3://lists/val.json?root=s3://lists/x/' }],
    ['s3://lists/val.json?root=s3://images/a/', { root: { bucket: 'images', prefix: 'a/' } }],
    ['s3://lists/val.json?root=/data', { root: { scheme: 'file', folder: '/data' } }],
  ])('%s', async (text, expected) => {
    const place = await parseSource(text, root);
    expect(place).toMatchObject(expected);
    expect(parseSourceUri(place.uri).uri).toBe(place.uri);
  });
});

describe('parseSource of a path', () => {
  it('takes a folder, relative to the working folder', async () => {
    expect(await parseSource('photos', root)).toMatchObject({ kind: 'prefix', uri: `${url('photos')}/` });
  });

  it('takes what is there by its name before it takes a glob', async () => {
    mkdirSync(at('photos', '[1]'));
    const place = await parseSource('photos/[1]', root);
    expect(place).toMatchObject({ kind: 'prefix', uri: `${url('photos')}/%5B1%5D/` });
    expect(parseSourceUri(place.uri)).toEqual(place);
    expect(await parseSource('photos/[2]', root)).toMatchObject({ kind: 'glob', glob: '[2]' });
  });

  it('takes a folder that is named like a list', async () => {
    mkdirSync(at('photos.txt'));
    const place = await parseSource('photos.txt', root);
    expect(place).toMatchObject({ kind: 'prefix' });
    expect(parseSourceUri(place.uri)).toEqual(place);
  });

  it('takes a glob and a list', async () => {
    expect(await parseSource('photos/**/*.png', root)).toMatchObject({
      kind: 'glob',
      uri: `${url('photos')}/**/*.png`,
    });
    writeFileSync(at('a b.txt'), '');
    const place = await parseSource('a b.txt?root=photos', root);
    expect(place).toMatchObject({
      kind: 'list',
      uri: `${url('a b.txt')}?root=${url('photos')}/`,
      list: { folder: at('a b.txt') },
      root: { folder: at('photos') },
    });
    expect(parseSourceUri(place.uri)).toEqual(place);
  });
});

describe('parseSource refuses', () => {
  it.each([
    'https://host/a.jpg',
    'ftp://host/',
    's3://a/',
    's3://*/a.jpg',
    's3://photos/*/../a.jpg',
    's3://photos/*//a.jpg',
  ])('%s', async (text) => {
    await expect(parseSource(text, root)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('keyPrefixOf', () => {
  it.each([
    ['s3://photos/', 'photos/'],
    ['s3://photos/2026/', 'photos/2026/'],
    ['s3://photos/2026/*.jpg', 'photos/2026/'],
    ['s3://photos/2026/list.txt', ''],
    ['file:///data/', ''],
  ])('%s: "%s"', (uri, expected) => expect(keyPrefixOf(uri)).toBe(expected));
});
