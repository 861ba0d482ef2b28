import { MillraceError, systemCode, toError, type ErrorCode } from '../runtime/errors.ts';

/** What a system's error means when something is read. */
const READ_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'OBJECT_NOT_FOUND',
  ENOTDIR: 'OBJECT_NOT_FOUND',
  ELOOP: 'OBJECT_NOT_FOUND',
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
  ENAMETOOLONG: 'KEY_INVALID',
};

/** What it means when something is written: a folder in the way is the key's fault, as is a file among its folders. */
const WRITE_CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
  EROFS: 'ACCESS_DENIED',
  ENAMETOOLONG: 'KEY_INVALID',
  EISDIR: 'KEY_INVALID',
  ENOTDIR: 'KEY_INVALID',
  ENOTEMPTY: 'KEY_INVALID',
  EEXIST: 'KEY_INVALID',
};

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'this process has too many files open; raise its limit (ulimit -n)',
  ENAMETOOLONG: 'the path is too long for this file system',
  EISDIR: 'a folder of that name is in the way',
  ENOTEMPTY: 'a folder of that name is in the way',
  EEXIST: 'a file is where the key needs a folder',
  ENOTDIR: 'a file is where the key needs a folder',
};

/** A failed system call on `path` as a `MillraceError`; one that already is passes. */
export function fromSystemError(error: unknown, operation: 'read' | 'write', path: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const system = systemCode(error) ?? '';
  const code = (operation === 'read' ? READ_CODES : WRITE_CODES)[system] ?? 'STORAGE_UNAVAILABLE';
  const message =
    code === 'OBJECT_NOT_FOUND'
      ? `There is no file ${path} (${system}).`
      : `Cannot ${operation} ${path}: ${EXPLANATIONS[system] ?? toError(error).message}${system && ` (${system})`}.`;
  return new MillraceError(code, message, { cause: error });
}
