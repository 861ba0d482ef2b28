import { describe, expect, it } from 'vitest';
import { openObjectWriter } from '../../../src/merge/object-writer.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';

describe('openObjectWriter', () => {
  it('writes what it is given, large or small, in whole characters', async () => {
    const storage = openMemoryStorage();
    const writer = openObjectWriter(storage, 'a');
    for (let n = 0; n < 1000; n++) await writer.write('ü😀'.repeat(400));
    expect(await storage.stat('a')).toBeUndefined();
    await writer.end();
    expect(Buffer.from(await storage.get('a')).toString()).toBe('ü😀'.repeat(400_000));
  });

  it('writes nothing when it is aborted, before or after the first piece', async () => {
    const storage = openMemoryStorage();
    const [early, late] = [openObjectWriter(storage, 'early'), openObjectWriter(storage, 'late')];
    await late.write('x'.repeat(1_000_000));
    await Promise.all([early.abort(new Error('no')), late.abort(new Error('no'))]);
    expect(await storage.stat('early')).toBeUndefined();
    expect(await storage.stat('late')).toBeUndefined();
  });

  it('waits for a storage that is slow, and tells of one that fails', async () => {
    let taken = 0;
    const memory = openMemoryStorage();
    const slow: Storage = {
      ...memory,
      async put(_key, body) {
        if (body instanceof Uint8Array) return;
        for await (const chunk of body) {
          taken += chunk.length;
          if (taken > 1_000_000) throw new Error('disk full');
        }
      },
    };
    const writer = openObjectWriter(slow, 'a');
    const writeAll = async (): Promise<void> => {
      for (let given = 0; given < 100; given++) {
        await writer.write('x'.repeat(300_000));
        expect((given + 1) * 300_000 - taken).toBeLessThan(1_000_000);
      }
    };
    await expect(writeAll()).rejects.toThrow('disk full');
    await expect(writer.end()).rejects.toThrow('disk full');
  });
});
