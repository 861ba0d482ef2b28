import { describe, expect, it } from 'vitest';
import { openSource } from '../../../src/source/open-source.ts';
import type { SourceImage } from '../../../src/source/source.ts';
import { collect } from '../storage/collect.ts';
import { bucketsOf } from './buckets.ts';

const list = async (name: string, content: string | Uint8Array, source = `s3://lists/a/${name}`) => {
  const openStorage = bucketsOf([[`lists/a/${name}`, content]]);
  return collect<SourceImage>((await openSource(source, { openStorage })).list());
};

const refuse = (name: string, content: string | Uint8Array, message: string) =>
  expect(list(name, content)).rejects.toMatchObject({
    code: 'SOURCE_INVALID',
    message: expect.stringContaining(`s3://lists/a/${name} ${message}`),
  });

describe('a .txt list', () => {
  it('names an image a line, in its own order', async () => {
    const text = '\ufeff# photos\r\nz.png\r\n\n  ./b c/%20.jpg  \n  # none\ns3://photos/x y/1.jpg\na\n';
    expect(await list('list.txt', text)).toEqual([
      { key: 'z.png' },
      { key: 'b c/%20.jpg' },
      { key: 'photos/x y/1.jpg', uri: 's3://photos/x y/1.jpg' },
      { key: 'a' },
    ]);
  });

  it.each([
    ['../secret.jpg', 'has the segment ".."'],
    ['a/../../secret.jpg', 'has the segment ".."'],
    ['..\\secret.jpg', 'has a backslash'],
    ['a\0.jpg', 'contains NUL'],
    ['s3://photos/../secret.jpg', 'has the segment ".."'],
    ['s3://photos/', 'is empty'],
    ['s3://x/a.jpg', 'a bucket name has 3 to 63'],
    ['http://host/a.jpg', 'starts with http://'],
    ['HTTPS://host/a.jpg', 'starts with https://'],
    ['ftp://host/a.jpg', 'starts with ftp://'],
    ['data://x', 'starts with data://'],
  ])('refuses %j and names the line', async (entry, problem) => {
    const error: unknown = await list('list.txt', `a.jpg\n\n${entry}\n`).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/^s3:\/\/lists\/a\/list\.txt line 3: /),
    });
    expect(String(error)).toContain(problem);
  });

  it('takes from a bucket what no folder can hold', async () => {
    const long = 'x'.repeat(300);
    expect(await list('list.txt', `s3://photos/a//b.jpg\n${long}`)).toEqual([
      { key: 'photos/a//b.jpg', uri: 's3://photos/a//b.jpg' },
      { key: long },
    ]);
    const inFolder = openSource('s3://lists/a/list.txt?root=/data', {
      allowedUris: ['s3://lists', '/data'],
      openStorage: bucketsOf([['lists/a/list.txt', 'a//b.jpg']]),
    });
    await expect(collect((await inFolder).list())).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });

  it('refuses what is named twice, with both lines', async () => {
    await refuse(
      'list.txt',
      'a.jpg\nb.jpg\n#\n./b.jpg',
      'line 4: the image "b.jpg" is there already: s3://lists/a/list.txt line 2',
    );
    await refuse(
      'list.txt',
      's3://photos/a.jpg\nphotos/a.jpg',
      'line 2: the image "photos/a.jpg" is there already',
    );
  });

  it('refuses a line that is not UTF-8', async () => {
    await refuse('list.txt', Uint8Array.of(0x61, 0x0a, 0xff), 'line 2 is not UTF-8');
  });
});

describe('a .jsonl list', () => {
  it('keeps ids, sizes and etags, and passes over what else is said', async () => {
    const lines = [
      { uri: 'a.jpg', id: 7, size: 12, etag: '"abc"', camera: 3 },
      { uri: 's3://photos/b.jpg', id: 9_007_199_254_740_991 },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n\n');
    expect(await list('list.jsonl', text)).toEqual([
      { key: 'a.jpg', sizeBytes: 12, etag: 'abc', imageId: 7 },
      { key: 'photos/b.jpg', uri: 's3://photos/b.jpg', imageId: 9_007_199_254_740_991 },
    ]);
  });

  it.each([
    ['{"uri": "b.jpg"', 'line 2: '],
    ['["b.jpg"]', 'line 2: '],
    ['{"url": "b.jpg"}', 'line 2: "uri": '],
    ['{"uri": "b.jpg", "id": 0}', 'line 2: "id": '],
    ['{"uri": "b.jpg", "id": 1.5}', 'line 2: "id": '],
    ['{"uri": "b.jpg", "id": 9007199254740992}', 'line 2: "id": '],
    ['{"uri": "b.jpg", "size": -1}', 'line 2: "size": '],
    ['{"uri": "b.jpg"}', 'line 2: has no id, and images before it have one'],
    ['{"uri": "b.jpg", "id": 1}', 'line 2: the image id 1 is there already: s3://lists/a/list.jsonl line 1'],
  ])('refuses %s', async (line, problem) => {
    await refuse('list.jsonl', `{"uri": "a.jpg", "id": 1}\n${line}\n`, problem);
  });

  it('refuses an id after images without', async () => {
    const text = '{"uri": "a.jpg"}\n{"uri": "b.jpg", "id": 1}';
    await refuse('list.jsonl', text, 'line 2: has the id 1, and images before it have none');
  });
});

describe('a .csv list', () => {
  it.each(['uri', 'URL', ' path', 'file_name'])('takes the column %s', async (column) => {
    expect(await list('list.csv', `camera,${column}\n1,"a, ""b"".jpg"\r\n\n2,s3://photos/c.jpg\n`)).toEqual([
      { key: 'a, "b".jpg' },
      { key: 'photos/c.jpg', uri: 's3://photos/c.jpg' },
    ]);
  });

  it('takes id, size and etag where they are', async () => {
    expect(await list('list.csv', '\ufefffile_name,image_id,size,etag\na.jpg,5,,x\nb.jpg,6,7,\n')).toEqual([
      { key: 'a.jpg', imageId: 5, etag: 'x' },
      { key: 'b.jpg', imageId: 6, sizeBytes: 7 },
    ]);
  });

  it.each([
    ['name\na.jpg', 'line 1: no column is named uri, url, path, file_name; the header is "name"'],
    ['uri,id\na.jpg,1\nb.jpg', ': Invalid Record Length'],
    ['uri\n"a.jpg', ': Quote Not Closed'],
    ['uri,id\na.jpg,x', 'line 2: "id" is "x", expected a whole number from 1'],
    ['uri,id\n,1', 'line 2: names no image'],
    ['uri,id\na.jpg,1\nb.jpg,1', 'line 3: the image id 1 is there already: s3://lists/a/list.csv line 2'],
  ])('refuses %j', async (text, problem) => {
    const { message } = await list('list.csv', text).then(
      () => new Error('nothing was refused'),
      (error: unknown) => (error instanceof Error ? error : new Error('no error')),
    );
    expect(message.replace('s3://lists/a/list.csv', '').trim()).toContain(problem);
  });
});

describe('a COCO dataset', () => {
  const dataset = (images: unknown, rest: object = {}): string =>
    JSON.stringify({ info: { images: [1] }, ...rest, images });

  it('keeps the ids, whatever stands around the images', async () => {
    const images = [
      { license: { id: 3, file_name: 'x' }, file_name: 'b/\u00fc.jpg', id: 30, sizes: [{ id: 4 }] },
      { id: 2, file_name: 'a.jpg', coco_url: 'http://host/a.jpg', __proto__: { id: 1 } },
    ];
    const expected = [
      { key: 'b/ü.jpg', imageId: 30 },
      { key: 'a.jpg', imageId: 2 },
    ];
    const annotations = [{ id: 1, image_id: 2, segmentation: [[1, 2, 3.5e1]], images: [{ id: 1 }] }];
    expect(await list('coco.json', dataset(images, { annotations }))).toEqual(expected);
    expect(await list('coco.json', `{"images":${JSON.stringify(images)},"annotations":[]}`)).toEqual(
      expected,
    );
  });

  it('looks for its images below ?root=', async () => {
    const openStorage = bucketsOf([
      ['lists/a/coco.json', dataset([{ id: 1, file_name: 'x/a.jpg' }])],
      ['lists/val/x/a.jpg', 'pixels'],
    ]);
    const source = await openSource('s3://lists/a/coco.json?root=../val', { openStorage });
    const [image] = await collect(source.list());
    expect(image).toEqual({ key: 'x/a.jpg', imageId: 1 });
    expect(Buffer.from(await source.get(image!, { maxBytes: 9 })).toString()).toBe('pixels');
  });

  it.each([
    ['{"images": [{"id": 1, "file_name": "a.jpg"}', ': is no JSON document: '],
    ['{"images": [{"id": 1, "file_name": "a.jpg"} x', ': is no JSON document: '],
    ['{"annotations": [{]}', ': is no JSON document: '],
    ['', ': is no JSON document: '],
    ['{"annotations": []}', ' has no "images"'],
    ['{"images": {"id": 1}}', ' has no "images"'],
    ['[{"id": 1, "file_name": "a.jpg"}]', ' has no "images"'],
    [dataset([{ id: 1, file_name: 'a.jpg' }, 'b.jpg']), ' images[1]: '],
    [dataset([null]), ' images[0]: '],
    [dataset([{ id: 0, file_name: 'a.jpg' }]), ' images[0]: "id": '],
    [dataset([{ id: '1', file_name: 'a.jpg' }]), ' images[0]: "id": '],
    [dataset([{ id: 1, file_name: 5 }]), ' images[0]: "file_name": '],
    [dataset([{ id: 1 }]), ' images[0]: "file_name": '],
    [dataset([{ id: 1, file_name: '../a.jpg' }]), ' images[0]: '],
    [
      dataset([
        { id: 1, file_name: 'a' },
        { id: 1, file_name: 'b' },
      ]),
      ' images[1]: the image id 1 is there already',
    ],
    [
      dataset([
        { id: 1, file_name: 'a' },
        { id: 2, file_name: 'a' },
      ]),
      ' images[1]: the image "a" is there already',
    ],
  ])('refuses %s', async (text, problem) => {
    await expect(list('coco.json', text)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining(`s3://lists/a/coco.json${problem}`),
    });
  });
});

describe('a list', () => {
  it('reads its images where they are', async () => {
    const openStorage = bucketsOf([
      ['lists/a/list.txt', 'b/1.jpg\ns3://photos/c/1.jpg'],
      ['lists/a/b/1.jpg', 'one'],
      ['photos/c/1.jpg', 'two'],
    ]);
    const source = await openSource('s3://lists/a/list.txt', { openStorage });
    const contents = [];
    for await (const image of source.list())
      contents.push(Buffer.from(await source.get(image, { maxBytes: 3 })).toString());
    expect(contents).toEqual(['one', 'two']);
    await expect(source.get({ key: 'b/1.jpg', etag: 'x' }, { maxBytes: 3 })).rejects.toMatchObject({
      code: 'OBJECT_CHANGED',
    });
  });

  it('that changes while it is read is refused', async () => {
    const open = bucketsOf([['lists/a.txt', 'a.jpg\nb.jpg\na.jpg']]);
    const changed = bucketsOf([['lists/a.txt', 'c.jpg\nb.jpg\nd.jpg']]);
    let reads = 0;
    const openStorage: typeof open = async (uri) => {
      const [before, after] = [await open(uri), await changed(uri)];
      return { ...before, stream: (key) => (reads++ === 0 ? before : after).stream(key) };
    };
    await expect(
      collect((await openSource('s3://lists/a.txt', { openStorage })).list()),
    ).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: 's3://lists/a.txt line 3: the list has changed while it was read; start again.',
    });
  });

  it('puts nothing into a message that could break a line', async () => {
    const entry = JSON.stringify({ uri: 's3://photos/\n\u001b[2J../a\\.jpg' });
    const error: unknown = await list('list.jsonl', entry).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'SOURCE_INVALID' });
    const allowedUris = ['s3://lists'];
    const openStorage = bucketsOf([['lists/a.jsonl', JSON.stringify({ uri: 's3://photos/\n\u001b[2J' })]]);
    const source = await openSource('s3://lists/a.jsonl', { openStorage, allowedUris });
    const refused: unknown = await collect(source.list()).catch((error: unknown) => error);
    expect(String(refused)).toContain('s3://photos/\\u{a}\\u{1b}[2J lies outside');
    expect(String(error) + String(refused)).not.toMatch(/\p{Cc}/u);
  });

  it('is there while its file is', async () => {
    const there = await openSource('s3://lists/a.txt', { openStorage: bucketsOf([['lists/a.txt', '']]) });
    await expect(there.assertThere()).resolves.toBeUndefined();
    const gone = await openSource('s3://lists/a.txt', { openStorage: bucketsOf([]) });
    await expect(gone.assertThere()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
