/**
 * Every error that Millrace raises on purpose, in one catalogue: a stable code, whether trying again can help, and the
 * exit code of a command that ends with it. The message is written where the error is raised: it names the offending
 * value, what is allowed, and what to do.
 */
const CATALOGUE = {
  USAGE: { retry: 'never', exitCode: 2 },
  CONFIG_INVALID: { retry: 'never', exitCode: 2 },
  SOURCE_NOT_FOUND: { retry: 'never', exitCode: 2 },
  SOURCE_UNREADABLE: { retry: 'never', exitCode: 2 },
  SOURCE_EMPTY: { retry: 'never', exitCode: 2 },
  SOURCE_INVALID: { retry: 'never', exitCode: 2 },
  URI_NOT_ALLOWED: { retry: 'never', exitCode: 2 },
  OUTPUT_INSIDE_SOURCE: { retry: 'never', exitCode: 2 },
  OUTPUT_HOLDS_ANOTHER_RUN: { retry: 'never', exitCode: 2 },
  OUTPUT_NOT_WRITABLE: { retry: 'never', exitCode: 2 },
  MODEL_NOT_FOUND: { retry: 'never', exitCode: 2 },
  MODEL_INVALID: { retry: 'never', exitCode: 2 },
  MODEL_CHECKSUM: { retry: 'never', exitCode: 2 },
  MODEL_NOT_ONNX: { retry: 'never', exitCode: 2 },
  CONTRACT_MISMATCH: { retry: 'never', exitCode: 2 },
  MODEL_NOT_SUPPORTED: { retry: 'never', exitCode: 2 },
  MODEL_MISMATCH: { retry: 'backoff', exitCode: 1 },
  BATCH_TOO_LARGE: { retry: 'never', exitCode: 2 },
  PROVIDER_NOT_AVAILABLE: { retry: 'never', exitCode: 2 },
  INFERENCE_FAILED: { retry: 'backoff', exitCode: 1 },
  INFERENCE_OUT_OF_MEMORY: { retry: 'backoff', exitCode: 1 },
  INFERENCE_TIMEOUT: { retry: 'backoff', exitCode: 1 },
  SESSION_LOST: { retry: 'backoff', exitCode: 1 },
  // Whoever is told this ends the process, by SIGKILL: a thread that is stuck in native code keeps `process.exit` waiting.
  PROCESS_UNUSABLE: { retry: 'backoff', exitCode: 1 },
  OBJECT_NOT_FOUND: { retry: 'never', exitCode: 1 },
  OBJECT_CHANGED: { retry: 'never', exitCode: 1 },
  OBJECT_TOO_LARGE: { retry: 'never', exitCode: 1 },
  KEY_INVALID: { retry: 'never', exitCode: 2 },
  ACCESS_DENIED: { retry: 'never', exitCode: 1 },
  BUCKET_NOT_FOUND: { retry: 'never', exitCode: 2 },
  CREDENTIALS_INVALID: { retry: 'backoff', exitCode: 1 },
  STORAGE_NOT_SUPPORTED: { retry: 'never', exitCode: 2 },
  STORAGE_UNAVAILABLE: { retry: 'backoff', exitCode: 1 },
  QUEUE_UNAVAILABLE: { retry: 'backoff', exitCode: 1 },
  RUN_INCOMPLETE: { retry: 'backoff', exitCode: 1 },
  RUN_CANCELLED: { retry: 'never', exitCode: 1 },
  RUN_FAILED: { retry: 'never', exitCode: 1 },
  RUN_UNKNOWN: { retry: 'never', exitCode: 1 },
  RUN_CORRUPT: { retry: 'never', exitCode: 1 },
  FAILURE_BUDGET_EXCEEDED: { retry: 'never', exitCode: 3 },
  INTERRUPTED: { retry: 'never', exitCode: 130 },
} as const satisfies Record<string, { retry: 'never' | 'backoff'; exitCode: number }>;

export type ErrorCode = keyof typeof CATALOGUE;

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(CATALOGUE, text);

export class MillraceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MillraceError';
    this.code = code;
  }

  get retry(): 'never' | 'backoff' {
    return CATALOGUE[this.code].retry;
  }

  get exitCode(): number {
    return CATALOGUE[this.code].exitCode;
  }
}

export function isMillraceError(error: unknown, code?: ErrorCode): error is MillraceError {
  return error instanceof MillraceError && (code === undefined || error.code === code);
}

/** A caught value as an Error, whatever was thrown. */
export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** The system's code (`ENOENT`, `EACCES`, ...) of a caught value, if it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
