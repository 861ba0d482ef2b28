import { openMemoryStorage } from '../../src/storage/memory.ts';
import { describeStorage } from './storage-conformance.ts';

describeStorage('memory', {
  open: async () => openMemoryStorage(),
  invalidKeys: ['', '/a', 'a//b', 'a/', '.', 'a/../b', 'a\0b', '\uD83D', 'x'.repeat(256)],
});
