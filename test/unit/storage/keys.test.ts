import { describe, expect, it } from 'vitest';
import { assertKey, compareKeys, splitPrefix } from '../../../src/storage/keys.ts';

describe('assertKey', () => {
  it.each([
    ['', 'is empty'],
    ['/a', 'empty segment'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['..', '".."'],
    ['a/../b', '".."'],
    ['./a', '"."'],
    ['a\0b', 'NUL'],
    ['\uD83D', 'surrogate'],
    [`a/${'ü'.repeat(128)}`, 'segment of 256 bytes'],
  ])('refuses %j', (key, reason) => {
    expect(() => assertKey(key)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(() => assertKey(key)).toThrow(reason);
  });

  it.each(['a', '...', '.hidden', 'a b/ü+%2F\t.png', 'a\\b', '😀', 'x'.repeat(255), '-'])(
    'accepts %j',
    (key) => {
      expect(() => assertKey(key)).not.toThrow();
    },
  );
});

describe('splitPrefix', () => {
  it.each([
    ['', '', ''],
    ['commits/', 'commits', ''],
    ['com', '', 'com'],
    ['a/b/c', 'a/b', 'c'],
  ])('splits %j', (prefix, folder, namePrefix) => {
    expect(splitPrefix(prefix)).toEqual({ folder, namePrefix });
  });

  it('refuses to leave the root', () => {
    expect(() => splitPrefix('../x')).toThrow('".."');
  });
});

describe('compareKeys', () => {
  it('orders by UTF-8 bytes, where UTF-16 would order otherwise', () => {
    const keys = [
      'a',
      'a\u{1F600}',
      'a\uFFFD',
      'a\uD7FF',
      'a\uE000',
      'a/b',
      'a-b',
      'a.b',
      'aa',
      'Ä',
      'z',
      '',
    ];
    const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(keys.toSorted(compareKeys)).toEqual(byBytes);
    expect(keys.toSorted()).not.toEqual(byBytes);
  });

  it('finds a key equal to itself', () => {
    expect(compareKeys('a\u{1F600}', 'a\u{1F600}')).toBe(0);
  });
});
