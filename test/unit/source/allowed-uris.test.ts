import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertUriAllowed } from '../../../src/source/allowed-uris.ts';
import { openSource } from '../../../src/source/open-source.ts';
import { collect } from '../storage/collect.ts';
import { bucketsOf } from './buckets.ts';

let root = '';
const at = (...names: string[]): string => path.join(root, ...names);
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'millrace-allowed-'));
  mkdirSync(at('data', 'deep'), { recursive: true });
  mkdirSync(at('database'));
  writeFileSync(at('data', 'a.jpg'), 'a');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('assertUriAllowed', () => {
  it.each([
    ['s3://photos', 's3://photos'],
    ['s3://photos/', 's3://photos'],
    ['s3://photos/2026/a', 's3://photos'],
    ['s3://photos/2026/a', 's3://photos/2026/'],
    ['s3://photos/2026', 's3://photos/2026/'],
    ['s3://photos/2026', 's3://others,s3://photos/2026'],
    ['s3://photos/2026/%2e%2e/a', 's3://photos/2026'],
  ])('lets %s pass in %s', async (uri, allowed) => {
    await expect(assertUriAllowed(uri, allowed.split(','))).resolves.toBeUndefined();
  });

  it.each([
    ['s3://photos/2025', 's3://photos/2026'],
    ['s3://photos/20261', 's3://photos/2026'],
    ['s3://photos/', 's3://photos/2026'],
    ['s3://photos2/', 's3://photos'],
    ['s3://photos/2026/../secret', 's3://photos/2026'],
    ['s3://photos/2026/./a', 's3://photos/2026'],
    ['s3://photos//2026', 's3://photos/2026'],
    ['/photos', 's3://photos'],
    ['file:///etc/passwd', 's3://photos'],
  ])('refuses %s outside %s', async (uri, allowed) => {
    await expect(assertUriAllowed(uri, [allowed])).rejects.toMatchObject({
      code: 'URI_NOT_ALLOWED',
      message: expect.stringContaining(uri),
    });
  });

  it('resolves paths before it compares them', async () => {
    symlinkSync(at('database'), at('data', 'link'));
    symlinkSync(at('data'), at('alias'));
    const data = pathToFileURL(at('data')).href;
    for (const inside of [
      at('data'),
      `${data}/`,
      at('data', 'new', 'er'),
      at('alias', 'deep'),
      `${data}/deep/../a.jpg`,
    ])
      await expect(assertUriAllowed(inside, [data]), inside).resolves.toBeUndefined();
    for (const outside of [
      at('database'),
      at('data', 'link'),
      at('data', 'link', 'new'),
      `${data}/../database`,
      `${data}/%2e%2e/database`,
      `${data}/deep/..%2f..%2fdatabase`.replaceAll('%2f', '/'),
      root,
    ])
      await expect(assertUriAllowed(outside, [data]), outside).rejects.toMatchObject({
        code: 'URI_NOT_ALLOWED',
      });
  });

  it('allows everything where nothing is said', async () => {
    await expect(assertUriAllowed('/etc', undefined)).resolves.toBeUndefined();
  });
});

describe('a hostile list', () => {
  const lists = (entry: string) => {
    const openStorage = bucketsOf([['lists/a.txt', `${entry}\n`]]);
    return { openStorage, source: 's3://lists/a.txt' };
  };

  it.each(['file:///etc/passwd', '/etc/passwd', 'file:///lists/%2e%2e/etc/passwd', 's3://secret/a.jpg'])(
    'cannot name %s',
    async (entry) => {
      const { openStorage, source } = lists(entry);
      const opened = await openSource(source, { openStorage, allowedUris: ['s3://lists'] });
      await expect(collect(opened.list())).rejects.toMatchObject({
        code: 'URI_NOT_ALLOWED',
        message: expect.stringContaining('s3://lists/a.txt line 1: '),
      });
      const uri = entry.startsWith('/') ? `file://${entry}` : entry;
      await expect(opened.get({ key: 'x', uri }, { maxBytes: 9 })).rejects.toMatchObject({
        code: 'URI_NOT_ALLOWED',
      });
    },
  );

  it('in a bucket names no file of this machine unless that is allowed', async () => {
    const { openStorage, source } = lists(at('data', 'a.jpg'));
    const opened = await openSource(source, { openStorage });
    await expect(collect(opened.list())).rejects.toMatchObject({ code: 'URI_NOT_ALLOWED' });
    const allowed = await openSource(source, { openStorage, allowedUris: ['s3://lists', at('data')] });
    expect(await collect(allowed.list())).toMatchObject([{ key: at('data', 'a.jpg').slice(1) }]);
  });

  it('cannot lead out by a link', async () => {
    symlinkSync('/etc/passwd', at('data', 'b.jpg'));
    writeFileSync(at('data', 'list.txt'), 'a.jpg\nb.jpg\n');
    const source = await openSource(at('data', 'list.txt'), { allowedUris: [at('data')] });
    await expect(collect(source.list())).rejects.toMatchObject({
      code: 'URI_NOT_ALLOWED',
      message: expect.stringContaining('line 2: '),
    });
    await expect(source.get({ key: 'b.jpg' }, { maxBytes: 9 })).rejects.toMatchObject({
      code: 'URI_NOT_ALLOWED',
    });
    expect(Buffer.from(await source.get({ key: 'a.jpg' }, { maxBytes: 9 })).toString()).toBe('a');
  });

  it('is itself refused outside, and so are the parts of an inventory', async () => {
    const refused = { code: 'URI_NOT_ALLOWED' };
    await expect(openSource('s3://lists/a.txt', { allowedUris: ['s3://lists/b'] })).rejects.toMatchObject(
      refused,
    );
    const manifest = JSON.stringify({
      sourceBucket: 'lists',
      destinationBucket: 'secret',
      fileFormat: 'CSV',
      fileSchema: 'Bucket, Key',
      files: [{ key: 'x.csv.gz', MD5checksum: '0'.repeat(32) }],
    });
    const openStorage = bucketsOf([['lists/manifest.json', manifest]]);
    const source = await openSource('s3://lists/manifest.json', { openStorage, allowedUris: ['s3://lists'] });
    await expect(collect(source.list())).rejects.toMatchObject(refused);
  });
});
