import { MillraceError, type ErrorCode } from '../runtime/errors.ts';

/**
 * An error crosses the queue as one string, `CODE: message`, which the board shows: it must hold no secret, and no
 * NUL, which Postgres cannot store.
 */

const MAX_CHARACTERS = 2_000;

/** Every code, checked by the compiler to be complete. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  USAGE: true,
  CONFIG_INVALID: true,
  SOURCE_NOT_FOUND: true,
  SOURCE_UNREADABLE: true,
  SOURCE_EMPTY: true,
  OUTPUT_INSIDE_SOURCE: true,
  OUTPUT_HOLDS_ANOTHER_RUN: true,
  OUTPUT_NOT_WRITABLE: true,
  MODEL_NOT_FOUND: true,
  MODEL_INVALID: true,
  MODEL_CHECKSUM: true,
  MODEL_NOT_ONNX: true,
  CONTRACT_MISMATCH: true,
  CONTRACT_NOT_SUPPORTED: true,
  BATCH_TOO_LARGE: true,
  PROVIDER_NOT_AVAILABLE: true,
  INFERENCE_FAILED: true,
  OBJECT_NOT_FOUND: true,
  OBJECT_CHANGED: true,
  OBJECT_TOO_LARGE: true,
  KEY_INVALID: true,
  ACCESS_DENIED: true,
  STORAGE_UNAVAILABLE: true,
  RUN_CORRUPT: true,
  FAILURE_BUDGET_EXCEEDED: true,
  INTERRUPTED: true,
};

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(CODES, text);

/** Credentials of URLs, and the query of presigned ones. */
const SECRETS = [
  { pattern: /\/\/[^/@\s]*@/g, replacement: '//***@' },
  { pattern: /([?&]X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s]*/gi, replacement: '$1***' },
] as const;

export function toFailedReason(error: Error): string {
  const text = error instanceof MillraceError ? `${error.code}: ${error.message}` : error.message;
  const safe = SECRETS.reduce((kept, { pattern, replacement }) => kept.replace(pattern, replacement), text);
  return safe.replaceAll('\0', '\\0').slice(0, MAX_CHARACTERS);
}

/** The inverse of `toFailedReason`: a `MillraceError` where the reason has one's code, else an `Error`. */
export function fromFailedReason(reason: string): Error {
  const [, code, message] = /^([A-Z_]+): (.*)$/s.exec(reason) ?? [];
  if (code === undefined || message === undefined || !isErrorCode(code)) return new Error(reason);
  return new MillraceError(code, message);
}
