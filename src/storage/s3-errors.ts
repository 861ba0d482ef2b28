import { type ErrorCode, isMillraceError, MillraceError, systemCode } from '../runtime/errors.ts';

/** What an answer of S3, or the lack of one, says. */
export interface S3Fault {
  /** S3's error code, else that of the SDK or the system: `NoSuchKey`, `CredentialsProviderError`, `ECONNREFUSED`. */
  readonly code: string;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Requests sent for it, retries included. */
  readonly attempts: number;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'OBJECT_NOT_FOUND',
  NoSuchBucket: 'BUCKET_NOT_FOUND',
  KeyTooLongError: 'KEY_INVALID',
  EntityTooLarge: 'OBJECT_TOO_LARGE',
  PermanentRedirect: 'CONFIG_INVALID',
  AuthorizationHeaderMalformed: 'CONFIG_INVALID',
  NotImplemented: 'STORAGE_NOT_SUPPORTED',
  CredentialsProviderError: 'CREDENTIALS_INVALID',
  TokenProviderError: 'CREDENTIALS_INVALID',
  ExpiredToken: 'CREDENTIALS_INVALID',
  ExpiredTokenException: 'CREDENTIALS_INVALID',
  InvalidToken: 'CREDENTIALS_INVALID',
  InvalidClientTokenId: 'CREDENTIALS_INVALID',
  InvalidAccessKeyId: 'CREDENTIALS_INVALID',
  UnrecognizedClientException: 'CREDENTIALS_INVALID',
  SignatureDoesNotMatch: 'CREDENTIALS_INVALID',
  RequestTimeTooSkewed: 'CREDENTIALS_INVALID',
  TokenRefreshRequired: 'CREDENTIALS_INVALID',
  // Versity's gateway, with status 404, for a key id that it does not know.
  XAdminUserNotFound: 'CREDENTIALS_INVALID',
};

/** 404 is not among them: only `NoSuchKey` says that the object is missing, and not a bucket, upload or user. */
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  301: 'CONFIG_INVALID',
  401: 'CREDENTIALS_INVALID',
  403: 'ACCESS_DENIED',
  405: 'STORAGE_NOT_SUPPORTED',
  412: 'OBJECT_CHANGED',
  501: 'STORAGE_NOT_SUPPORTED',
};

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BUCKET_NOT_FOUND: 'Check its name, and AWS_ENDPOINT_URL_S3; Millrace makes no buckets.',
  CONFIG_INVALID: 'Set AWS_REGION to the region of the bucket.',
  CREDENTIALS_INVALID:
    "Check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role) and the clock.",
  ACCESS_DENIED: 'docs/storage.md lists the rights that are needed.',
};

/**
 * The error of the catalogue for what the AWS SDK has thrown while it did `action` ("read", "list") to `uri`. It has
 * no cause: those of the SDK carry key ids and signed requests.
 */
export function fromS3Error(error: unknown, action: string, uri: string): MillraceError {
  if (isMillraceError(error)) return error;
  const fault = readS3Fault(error);
  const code = catalogueCode(error, fault);
  const status = fault.status === undefined ? '' : ` (HTTP ${fault.status})`;
  const advice = ADVICE[code] === undefined ? '' : ` ${ADVICE[code]}`;
  return new MillraceError(code, `Cannot ${action} ${uri}: ${fault.code}${status}.${advice}`);
}

export function readS3Fault(error: unknown): S3Fault {
  const { httpStatusCode, attempts } = metadataOf(error);
  const name = error instanceof Error ? (systemCode(error) ?? error.name) : 'unknown';
  return {
    code: /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(name) ? name : 'unknown',
    status: httpStatusCode,
    attempts: attempts ?? 1,
  };
}

function catalogueCode(error: unknown, { code, status }: S3Fault): ErrorCode {
  if (error instanceof Error && error.message === 'Region is missing') return 'CONFIG_INVALID';
  const byCode = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  return byCode ?? (status === undefined ? undefined : STATUSES[status]) ?? 'STORAGE_UNAVAILABLE';
}

function metadataOf(error: unknown): { httpStatusCode?: number | undefined; attempts?: number | undefined } {
  if (!(error instanceof Error) || !('$metadata' in error)) return {};
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null) return {};
  const numberAt = (name: string): number | undefined => {
    const value: unknown = Reflect.get(metadata, name);
    return typeof value === 'number' ? value : undefined;
  };
  return { httpStatusCode: numberAt('httpStatusCode'), attempts: numberAt('attempts') };
}
