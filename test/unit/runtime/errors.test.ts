import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ErrorCode,
  isErrorCode,
  isMillraceError,
  MillraceError,
  systemCode,
  toError,
} from '../../../src/runtime/errors.ts';

/** What reading a file that is not there throws. */
function missingFile(): unknown {
  try {
    return readFileSync(new URL('no-such-file', import.meta.url));
  } catch (error) {
    return error;
  }
}

describe('MillraceError', () => {
  it('is an error with a code, a message and a cause', () => {
    const cause = new Error('why');
    const error = new MillraceError('SOURCE_EMPTY', 'no image', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'MillraceError', code: 'SOURCE_EMPTY', message: 'no image', cause });
    expect(String(error)).toBe('MillraceError: no image');
    expect(new MillraceError('SOURCE_EMPTY', 'no image').cause).toBeUndefined();
  });

  it.each<[ErrorCode, 'never' | 'backoff', number]>([
    ['USAGE', 'never', 2],
    ['MODEL_INVALID', 'never', 2],
    ['RUN_CORRUPT', 'never', 1],
    ['STORAGE_UNAVAILABLE', 'backoff', 1],
    ['INFERENCE_FAILED', 'backoff', 1],
    ['RUN_INCOMPLETE', 'backoff', 1],
    ['FAILURE_BUDGET_EXCEEDED', 'never', 3],
    ['INTERRUPTED', 'never', 130],
  ])('%s is retried %s and exits with %i', (code, retry, exitCode) => {
    expect(new MillraceError(code, '')).toMatchObject({ retry, exitCode });
  });
});

describe('isErrorCode', () => {
  it('knows the catalogue, and nothing that every object has', () => {
    expect(isErrorCode('USAGE')).toBe(true);
    expect(['usage', '', 'toString', 'constructor', '__proto__'].filter(isErrorCode)).toEqual([]);
  });
});

describe('isMillraceError', () => {
  it('tells one from others, and by its code', () => {
    const error: unknown = new MillraceError('USAGE', '');
    expect([isMillraceError(error), isMillraceError(error, 'USAGE')]).toEqual([true, true]);
    expect(isMillraceError(error, 'RUN_CORRUPT')).toBe(false);
    const like = Object.assign(new Error(''), { code: 'USAGE' });
    expect([like, { code: 'USAGE' }, 'USAGE', undefined, null].some((value) => isMillraceError(value))).toBe(
      false,
    );
  });
});

describe('toError', () => {
  it('leaves errors as they are, and makes one of anything else', () => {
    const error = new TypeError('x');
    expect(toError(error)).toBe(error);
    expect([toError('text'), toError(undefined), toError(7)].map(({ message }) => message)).toEqual([
      'text',
      'undefined',
      '7',
    ]);
  });
});

describe('systemCode', () => {
  it("is the system's, where there is one", () => {
    expect(systemCode(missingFile())).toBe('ENOENT');
    expect(systemCode(new Error('x'))).toBeUndefined();
    expect(systemCode(Object.assign(new Error('x'), { code: 7 }))).toBeUndefined();
    expect([systemCode({ code: 'ENOENT' }), systemCode(undefined)]).toEqual([undefined, undefined]);
  });
});
