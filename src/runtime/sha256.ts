import { createHash } from 'node:crypto';

/** SHA-256 in lower-case hexadecimal; of a text, that of its UTF-8 bytes. */
export function sha256Hex(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
