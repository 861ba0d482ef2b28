import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { fromSystemError } from '../../../src/storage/system-error.ts';

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: told by the system`), { code });

describe('fromSystemError', () => {
  it.each([
    ['read', 'ENOENT', 'OBJECT_NOT_FOUND', 'no file /x'],
    ['read', 'ENOTDIR', 'OBJECT_NOT_FOUND', 'no file /x'],
    ['read', 'EACCES', 'ACCESS_DENIED', 'Cannot read /x: permission denied (EACCES).'],
    ['read', 'EMFILE', 'STORAGE_UNAVAILABLE', 'ulimit -n'],
    ['read', 'EIO', 'STORAGE_UNAVAILABLE', 'told by the system'],
    ['write', 'EROFS', 'ACCESS_DENIED', 'the file system is read-only'],
    ['write', 'ENOSPC', 'STORAGE_UNAVAILABLE', 'Cannot write /x: the disk is full (ENOSPC).'],
    ['write', 'EISDIR', 'KEY_INVALID', 'a folder of that name is in the way'],
    ['write', 'ENOENT', 'STORAGE_UNAVAILABLE', 'told by the system'],
  ] as const)('makes of %s %s %s', (operation, system, code, message) => {
    const cause = systemError(system);
    const error = fromSystemError(cause, operation, '/x');
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain(message);
  });

  it('passes what is a MillraceError already', () => {
    const error = new MillraceError('OBJECT_CHANGED', 'changed');
    expect(fromSystemError(error, 'read', '/x')).toBe(error);
  });
});
