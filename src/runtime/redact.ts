/**
 * What must never reach a log, the board or an error: credentials. Two passes, by the name of a field and by the look
 * of a text. A secret that stands alone in a sentence cannot be told from any other word: do not write one there.
 */

const HIDDEN = '***';

/** What is logged on purpose is flat. */
const MAX_DEPTH = 6;

const SECRET_FIELD =
  /pass(?:word|wd|phrase)|secret|credential|authorization|cookie|signature|api_?key|access_?key|(?:session|security|access|refresh|id)_?token|^(?:token|auth|pwd)$/i;

const TEXT_RULES: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
  // Up to the last @ of the word: a password that nobody has percent-encoded may hold any sign.
  { pattern: /\b((?:rediss?|valkeys?|postgres(?:ql)?):\/\/)\S*@/gi, replacement: `$1${HIDDEN}@` },
  { pattern: /:\/\/[^/?#\s]*@/g, replacement: `://${HIDDEN}@` },
  // What signs a presigned URL of S3, of its older form, of Google's and of Azure's.
  {
    pattern:
      /([?&](?:amp;)?(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-(?:Signature|Credential)|AWSAccessKeyId|Signature|sig)=)[^&\s"'<>]*/gi,
    replacement: `$1${HIDDEN}`,
  },
  { pattern: /\b(Credential|Signature)=[\w~+/.%-]+=*/g, replacement: `$1=${HIDDEN}` },
  { pattern: /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b/g, replacement: HIDDEN },
  { pattern: /\b(Basic|Bearer)\s+[\w~+/.-]{6,}=*/gi, replacement: `$1 ${HIDDEN}` },
  {
    pattern:
      /((?:password|passwd|secret|secret_?access_?key|access_?key(?:_?id)?|session_?token|security_?token|api_?key)["'\\]*\s*[:=]\s*["'\\]*)[^\s"'\\,;&}]+/gi,
    replacement: `$1${HIDDEN}`,
  },
];

/** A text without the credentials in it; the rest stays as it is. */
export const redactText = (text: string): string =>
  TEXT_RULES.reduce((kept, { pattern, replacement }) => kept.replace(pattern, replacement), text);

/**
 * A copy with no secret field and no secret text; errors become what `describeError` keeps of them. What lies deeper
 * than `maxDepth` is hidden whole.
 */
export function redactValue(value: unknown, maxDepth = MAX_DEPTH): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof URL) return redactText(value.href);
  if (value instanceof Date) return value;
  if (maxDepth <= 0) return HIDDEN;
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, maxDepth - 1));
  return redactFields(value, maxDepth);
}

/** The fields of `value`, redacted: by their name, else by what they hold. */
export const redactFields = (value: object, maxDepth = MAX_DEPTH): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name),
      SECRET_FIELD.test(name) && hides(item) ? HIDDEN : redactValue(item, maxDepth - 1),
    ]),
  );

/** Whether a field holds anything to hide. */
const hides = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

interface DescribedError {
  readonly type: string;
  readonly code?: string | number;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/** Causes of causes that are kept. */
const MAX_CAUSES = 4;

/**
 * What may be said of an error: its kind, code, message, stack and cause. Everything else that hangs on it stays out:
 * the AWS SDK hangs the signed request there, ioredis the arguments of the failed command, which may be `AUTH`.
 */
export function describeError(error: Error, causes = MAX_CAUSES): DescribedError {
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    type: name,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    message: redactText(message),
    ...(stack !== undefined && { stack: redactText(stack) }),
    ...(cause !== undefined && causes > 0 && { cause: describeError(asError(cause), causes - 1) }),
  };
}

const asError = (value: unknown): Error => {
  if (value instanceof Error) return value;
  const said = new Error(typeof value === 'string' ? value : `a thrown ${typeof value}`);
  delete said.stack;
  return said;
};
