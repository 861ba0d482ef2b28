import { z } from 'zod';
import { toError } from '../../runtime/errors.ts';
import { invalid, type ListEntry } from '../list-entry.ts';
import { readLines } from '../utf8.ts';
import type { ListFile } from './list-file.ts';

/** What else a line says is its own affair. */
const line = z.object({
  uri: z.string().min(1),
  id: z.int().positive().optional(),
  size: z.int().nonnegative().optional(),
  etag: z.string().min(1).optional(),
});

/** `.jsonl`: `{"uri": ..., "id"?: ..., "size"?: bytes, "etag"?: ...}` a line; blank lines are no entries. */
export async function* readJsonLinesList(list: ListFile): AsyncGenerator<ListEntry> {
  for await (const { number, text } of readLines(list.stream(), list.name)) {
    if (text.trim() === '') continue;
    const where = `${list.name} line ${number}`;
    const parsed = line.safeParse(parseLine(where, text));
    if (!parsed.success) throw invalid(where, describeIssue(parsed.error), parsed.error);
    const { uri, id, size, etag } = parsed.data;
    yield {
      where,
      text: uri,
      ...(id === undefined ? {} : { imageId: id }),
      ...(size === undefined ? {} : { sizeBytes: size }),
      ...(etag === undefined ? {} : { etag }),
    };
  }
}

/** The first fault of a document, with the path to it. */
export function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue && issue.path.length > 0 ? `"${issue.path.join('.')}": ` : ''}${issue?.message ?? 'invalid'}`;
}

function parseLine(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(where, toError(error).message, error);
  }
}
