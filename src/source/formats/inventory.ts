import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { MillraceError, systemCode, toError } from '../../runtime/errors.ts';
import { isImageKey } from '../image-names.ts';
import { invalid, type ListEntry } from '../list-entry.ts';
import { pipeThrough } from '../pipe-through.ts';
import { type CsvRow, integer, readCsv } from './csv.ts';
import { describeIssue } from './json-lines.ts';
import { listFile, type ListFile, type Reader } from './list-file.ts';

/** A manifest names its files, some hundred bytes each: this is enough for a hundred thousand of them. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** `arn:aws:s3:::name`, or the name alone. */
const bucket = z.string().transform((text) => text.replace(/^arn:[^:]*:s3:::/, ''));

const manifestDocument = z.object({
  sourceBucket: bucket,
  destinationBucket: bucket,
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(z.object({ key: z.string().min(1), MD5checksum: z.string().regex(/^[0-9a-f]{32}$/i) })),
});

type Manifest = z.infer<typeof manifestDocument>;

/**
 * The `manifest.json` of an S3 Inventory: the objects of the source bucket whose names are those of images, as the
 * inventory's gzipped CSV files list them. Delete markers and versions that are not the latest are passed over.
 *
 * @throws MillraceError SOURCE_INVALID for ORC and Parquet, and for a file whose MD5 is not the manifest's.
 */
export async function* readInventory(list: ListFile, reader: Reader): AsyncGenerator<ListEntry> {
  const manifest = await readManifest(list);
  const columns = findColumns(list.name, manifest.fileSchema);
  for (const { key, MD5checksum } of manifest.files) {
    const part = listFile({ scheme: 's3', bucket: manifest.destinationBucket, prefix: key }, reader);
    const rows = readCsv(gunzip(part.name, checked(part, MD5checksum.toLowerCase())), part.name);
    for await (const row of rows) {
      const entry = toEntry(part.name, row, columns, manifest.sourceBucket);
      if (entry) yield entry;
    }
  }
}

async function readManifest(list: ListFile): Promise<Manifest> {
  const { storage, key } = await list.open();
  const bytes = await storage.get(key, { maxBytes: MAX_MANIFEST_BYTES });
  const parsed = manifestDocument.safeParse(parseJson(list.name, bytes));
  if (!parsed.success)
    throw invalid(
      list.name,
      `is no manifest of an S3 Inventory: ${describeIssue(parsed.error)}`,
      parsed.error,
    );
  const { fileFormat } = parsed.data;
  if (fileFormat.toUpperCase() === 'CSV') return parsed.data;
  throw invalid(list.name, `the inventory is in ${JSON.stringify(fileFormat)}; have it written as CSV.`);
}

function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(name, `is no JSON document: ${toError(error).message}`, error);
  }
}

interface Columns {
  readonly count: number;
  readonly bucket: number;
  readonly key: number;
  readonly isLatest: number;
  readonly isDeleteMarker: number;
  readonly size: number;
  readonly etag: number;
}

function findColumns(name: string, fileSchema: string): Columns {
  const names = fileSchema.split(',').map((column) => column.trim());
  const columns = {
    count: names.length,
    bucket: names.indexOf('Bucket'),
    key: names.indexOf('Key'),
    isLatest: names.indexOf('IsLatest'),
    isDeleteMarker: names.indexOf('IsDeleteMarker'),
    size: names.indexOf('Size'),
    etag: names.indexOf('ETag'),
  };
  if (columns.bucket >= 0 && columns.key >= 0) return columns;
  throw invalid(name, `"fileSchema" is ${JSON.stringify(fileSchema)}, without Bucket or Key.`);
}

function toEntry(
  name: string,
  { line, fields }: CsvRow,
  columns: Columns,
  sourceBucket: string,
): ListEntry | undefined {
  const where = `${name} line ${line}`;
  if (fields.length !== columns.count)
    throw invalid(where, `has ${fields.length} columns, and "fileSchema" names ${columns.count}.`);
  if (fields[columns.isLatest] === 'false' || fields[columns.isDeleteMarker] === 'true') return undefined;
  const bucket = fields[columns.bucket];
  if (bucket !== sourceBucket)
    throw invalid(where, `is of the bucket ${JSON.stringify(bucket)}, and the manifest of ${sourceBucket}.`);
  const key = decodeKey(where, fields[columns.key] ?? '');
  if (!isImageKey(key)) return undefined;
  const size = integer(where, 'Size', fields[columns.size], 0);
  const etag = fields[columns.etag];
  return {
    where,
    text: `s3://${sourceBucket}/${key}`,
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(etag ? { etag } : {}),
  };
}

/** Keys are URL-encoded as in a form: `+` is a space. */
function decodeKey(where: string, encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    throw invalid(where, `the key ${JSON.stringify(encoded)} is not URL-encoded UTF-8.`, error);
  }
}

/** The file's bytes; ends in an error where they were not what the manifest says. */
async function* checked(part: ListFile, md5: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('md5');
  for await (const chunk of part.stream()) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== md5) throw invalid(part.name, `its MD5 is ${found}, and the manifest says ${md5}.`);
}

async function* gunzip(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of pipeThrough(Readable.from(chunks), createGunzip()))
      if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    if (systemCode(error)?.startsWith('Z_'))
      throw new MillraceError('SOURCE_INVALID', `${name} is not gzipped: ${toError(error).message}`, {
        cause: error,
      });
    throw error;
  }
}
