import { isUtf8 } from 'node:buffer';
import { MillraceError } from '../runtime/errors.ts';

/** Longer lines are no entry of a list: S3 keys have at most 1,024 bytes. */
const MAX_LINE_BYTES = 64 * 1024;

export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a UTF-8 text, read as it comes; a byte-order mark at its start is dropped, `\n` and `\r\n` end a line.
 *
 * @throws MillraceError SOURCE_INVALID for a line that is not UTF-8 or that has more than 64 KiB.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<TextLine> {
  let number = 0;
  const toLine = (bytes: Buffer): TextLine => {
    number += 1;
    if (bytes.length > MAX_LINE_BYTES) throw tooLong(name, number);
    if (!isUtf8(bytes)) throw new MillraceError('SOURCE_INVALID', `${name} line ${number} is not UTF-8.`);
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    const text = bytes.toString('utf8', 0, end);
    return { number, text: number === 1 ? text.replace(/^\uFEFF/, '') : text };
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      yield toLine(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw tooLong(name, number + 1);
  }
  if (rest.length > 0) yield toLine(rest);
}

/**
 * A UTF-8 text as it comes, without its byte-order mark.
 *
 * @throws MillraceError SOURCE_INVALID where it is not UTF-8.
 */
export async function* readText(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (error) {
      throw new MillraceError('SOURCE_INVALID', `${name} is not UTF-8.`, { cause: error });
    }
  };
  for await (const chunk of chunks) {
    const text = decode(chunk);
    if (text !== '') yield text;
  }
  const rest = decode();
  if (rest !== '') yield rest;
}

function tooLong(name: string, line: number): MillraceError {
  return new MillraceError('SOURCE_INVALID', `${name} line ${line} has more than ${MAX_LINE_BYTES} bytes.`);
}
