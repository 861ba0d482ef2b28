import { CsvError, parse } from 'csv-parse';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { MillraceError } from '../../runtime/errors.ts';
import { invalid, type ListEntry } from '../list-entry.ts';
import { pipeThrough } from '../pipe-through.ts';
import { readText } from '../utf8.ts';
import type { ListFile } from './list-file.ts';

/** Columns that name the image; the first that is there counts. */
const NAME_COLUMNS = ['uri', 'url', 'path', 'file_name'];
const ID_COLUMNS = ['id', 'image_id'];

/** Longer rows are no entry of a list. */
const MAX_ROW_BYTES = 256 * 1024;

const csvRow = z.object({ info: z.object({ lines: z.int() }), record: z.array(z.string()) });

export interface CsvRow {
  /** The line on which it ends, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The rows of a CSV text (RFC 4180), each with as many fields as the first.
 *
 * @throws MillraceError SOURCE_INVALID, naming the line.
 */
export async function* readCsv(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<CsvRow> {
  const parser = parse({
    info: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_BYTES,
  });
  try {
    for await (const row of pipeThrough(Readable.from(readText(chunks, name)), parser)) {
      const { info, record } = csvRow.parse(row);
      yield { line: info.lines, fields: record };
    }
  } catch (error) {
    if (error instanceof CsvError)
      throw new MillraceError('SOURCE_INVALID', `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** `.csv` with a header: a column `uri`, `url`, `path` or `file_name`; if there, `id` or `image_id`, `size`, `etag`. */
export async function* readCsvList(list: ListFile): AsyncGenerator<ListEntry> {
  let columns: Columns | undefined;
  for await (const { line, fields } of readCsv(list.stream(), list.name)) {
    const where = `${list.name} line ${line}`;
    if (columns) yield toEntry(where, fields, columns);
    else columns = findColumns(where, fields);
  }
}

interface Columns {
  readonly name: number;
  readonly id: number;
  readonly size: number;
  readonly etag: number;
}

function findColumns(where: string, header: readonly string[]): Columns {
  const names = header.map((name) => name.trim().toLowerCase());
  const find = (...wanted: readonly string[]): number =>
    wanted.map((name) => names.indexOf(name)).find((index) => index >= 0) ?? -1;
  const name = find(...NAME_COLUMNS);
  if (name < 0)
    throw invalid(
      where,
      `no column is named ${NAME_COLUMNS.join(', ')}; the header is ${JSON.stringify(header.join(','))}.`,
    );
  return { name, id: find(...ID_COLUMNS), size: find('size'), etag: find('etag') };
}

function toEntry(where: string, fields: readonly string[], columns: Columns): ListEntry {
  const text = fields[columns.name] ?? '';
  if (text === '') throw invalid(where, 'names no image.');
  const id = integer(where, 'id', fields[columns.id], 1);
  const size = integer(where, 'size', fields[columns.size], 0);
  const etag = fields[columns.etag];
  return {
    where,
    text,
    ...(id === undefined ? {} : { imageId: id }),
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(etag ? { etag } : {}),
  };
}

/** An empty field says nothing. @throws MillraceError SOURCE_INVALID. */
export function integer(
  where: string,
  column: string,
  text: string | undefined,
  least: number,
): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(where, `"${column}" is ${JSON.stringify(text)}, expected a whole number from ${least}.`);
}
