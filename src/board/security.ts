import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who may use the board. */
export interface BoardCredentials {
  readonly user: string;
  readonly password: string;
}

const SECURITY_HEADERS = {
  // Bull Board styles elements inline and asks Google for fonts: the first is allowed, the second is not.
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Sets them on an answer; as a hook that runs last, since Bull Board's files bring their own `cache-control`. */
export async function addSecurityHeaders(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  void reply.headers(SECURITY_HEADERS);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares both in a time that says nothing of either, nor of which of them is wrong. */
export function isAllowed(given: BoardCredentials, wanted: BoardCredentials): boolean {
  const user = timingSafeEqual(digest(given.user), digest(wanted.user));
  const password = timingSafeEqual(digest(given.password), digest(wanted.password));
  return user && password;
}

/** Whether a request changes nothing. */
export const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

/**
 * Whether a request comes from a page of another site: a browser adds the password to those too. What sends neither
 * header is no browser.
 */
export function isCrossSite({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}
