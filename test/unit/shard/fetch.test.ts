import { describe, expect, it } from 'vitest';
import type { PlannedImage } from '../../../src/run/documents.ts';
import { type ErrorCode, MillraceError } from '../../../src/runtime/errors.ts';
import { ImageFailure } from '../../../src/runtime/image-failure.ts';
import { type FetchContext, fetchImage } from '../../../src/shard/fetch.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { openSource } from '../../../src/source/open-source.ts';

const BYTES = Uint8Array.of(1, 2, 3);

type FetchSource = FetchContext['source'];

/** The storage too, to change what is in it. */
async function sourceWithImage(): Promise<{ storage: Storage; source: FetchSource; image: PlannedImage }> {
  const storage = openMemoryStorage();
  await storage.put('a.png', BYTES);
  const stat = await storage.stat('a.png');
  const source = await openSource('s3://photos/', { openStorage: async () => storage });
  return { storage, source, image: { id: 1, key: 'a.png', size: 3, etag: stat!.etag } };
}

const contextOf = (source: FetchSource, change: Partial<FetchContext> = {}): FetchContext => ({
  source,
  maxImageBytes: 3,
  ...change,
});

const failing = (error: Error, assertThere = async (): Promise<void> => undefined): FetchSource => ({
  get: () => Promise.reject(error),
  assertThere,
});

const IMAGE: PlannedImage = { id: 1, key: 'a.png' };

describe('fetchImage', () => {
  it('reads what was planned, up to the very limit', async () => {
    const { source, image } = await sourceWithImage();
    expect(await fetchImage(image, contextOf(source))).toEqual(BYTES);
    expect(await fetchImage(IMAGE, contextOf(source))).toEqual(BYTES);
  });

  it('finds an image that has changed, if it is known how it was', async () => {
    const { storage, source, image } = await sourceWithImage();
    await storage.put('a.png', Uint8Array.of(9));
    await expect(fetchImage(image, contextOf(source))).rejects.toMatchObject({
      failureClass: 'changed',
      message: 'the file has changed since the run was planned',
    });
    expect(await fetchImage(IMAGE, contextOf(source))).toEqual(Uint8Array.of(9));
  });

  it('finds an image that is too large, and says the limit', async () => {
    const { source, image } = await sourceWithImage();
    const context = contextOf(source, { maxImageBytes: 2 });
    await expect(fetchImage(image, context)).rejects.toMatchObject({
      failureClass: 'too_large',
      message: '3 bytes, at most 2 bytes are read',
    });
    await expect(fetchImage(IMAGE, context)).rejects.toMatchObject({
      failureClass: 'too_large',
      message: 'at most 2 bytes are read',
    });
  });

  it('keeps the cause, and tells nothing of it in the message', async () => {
    const cause = new MillraceError('OBJECT_NOT_FOUND', 'no /data/a.png on host 7');
    const failure = await fetchImage(IMAGE, contextOf(failing(cause))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ImageFailure);
    expect(failure).toMatchObject({ cause, message: 'the file is gone since the run was planned' });
  });

  it.each<ErrorCode>(['STORAGE_UNAVAILABLE', 'KEY_INVALID'])(
    'throws %s as it is, and does not look for the source',
    async (code) => {
      const error = new MillraceError(code, 'trouble');
      const source = failing(error, () => Promise.reject(new Error('asked')));
      await expect(fetchImage(IMAGE, contextOf(source))).rejects.toBe(error);
    },
  );

  it('throws what is no storage error as it is', async () => {
    const error = new TypeError('a bug');
    await expect(fetchImage(IMAGE, contextOf(failing(error)))).rejects.toBe(error);
  });
});

describe.each([
  ['OBJECT_NOT_FOUND', 'not_found', 'the file is gone since the run was planned'],
  ['ACCESS_DENIED', 'access_denied', 'no permission to read the file'],
] as const)('%s', (code, failureClass, message) => {
  const error = new MillraceError(code, 'no');

  it("is the image's own fault where the source is there", async () => {
    let asked = 0;
    const source = failing(error, async () => void asked++);
    await expect(fetchImage(IMAGE, contextOf(source))).rejects.toMatchObject({ failureClass, message });
    expect(asked).toBe(1);
  });

  it("is the environment's fault where it is not: that error is thrown", async () => {
    const trouble = new MillraceError('STORAGE_UNAVAILABLE', 'the source is unmounted');
    const source = failing(error, () => Promise.reject(trouble));
    await expect(fetchImage(IMAGE, contextOf(source))).rejects.toBe(trouble);
  });
});
