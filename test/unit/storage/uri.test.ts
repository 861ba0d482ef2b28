import { describe, expect, it } from 'vitest';
import { parseStorageUri } from '../../../src/storage/uri.ts';

describe('parseStorageUri', () => {
  it.each([
    ['/data/photos/', '/data/photos'],
    ['photos', '/home/me/photos'],
    ['../a b+ü%20', '/home/a b+ü%20'],
    ['photos:2024', '/home/me/photos:2024'],
    ['file:///data/a%20b/', '/data/a b'],
    ['FILE:///data', '/data'],
  ])('takes %j for a folder', (text, folder) => {
    expect(parseStorageUri(text, '/home/me')).toEqual({ scheme: 'file', folder });
  });

  it.each([
    ['s3://my-bucket', 'my-bucket', ''],
    ['s3://my-bucket/', 'my-bucket', ''],
    ['s3://my.bucket/a b/ü%20+/', 'my.bucket', 'a b/ü%20+/'],
  ])('takes %j for a bucket', (text, bucket, prefix) => {
    expect(parseStorageUri(text, '/home/me')).toEqual({ scheme: 's3', bucket, prefix });
  });

  it.each([
    ['', 'empty'],
    ['https://example.org/x', '"https://" is not supported'],
    ['file://host/x', 'host'],
    ['s3://B/x', '3 to 63'],
    ['s3:///x', '3 to 63'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseStorageUri(text, '/')).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => parseStorageUri(text, '/')).toThrow(reason);
  });
});
