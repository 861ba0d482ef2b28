import { isErrorCode, MillraceError } from '../runtime/errors.ts';
import { redactText } from '../runtime/redact.ts';

/**
 * An error crosses the queue as one string, `CODE: message`, which the board shows: it must hold no secret, and no
 * NUL, which Postgres cannot store.
 */

const MAX_CHARACTERS = 2_000;

export function toFailedReason(error: Error): string {
  const text =
    error instanceof MillraceError ? `${error.code}: ${error.message}` : error.message || error.name;
  return redactText(text).replaceAll('\0', '\\0').slice(0, MAX_CHARACTERS);
}

/** The inverse of `toFailedReason`: a `MillraceError` where the reason has one's code, else an `Error`. */
export function fromFailedReason(reason: string): Error {
  const [, code, message] = /^([A-Z_]+): (.*)$/s.exec(reason) ?? [];
  if (code === undefined || message === undefined || !isErrorCode(code)) return new Error(reason);
  return new MillraceError(code, message);
}
