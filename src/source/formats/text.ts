import type { ListEntry } from '../list-entry.ts';
import { readLines } from '../utf8.ts';
import type { ListFile } from './list-file.ts';

/** `.txt`: a URI or a path a line, as it stands but for spaces around it; blank lines and lines of `#` are no entries. */
export async function* readTextList(list: ListFile): AsyncGenerator<ListEntry> {
  for await (const { number, text } of readLines(list.stream(), list.name)) {
    const entry = text.trim();
    if (entry !== '' && !entry.startsWith('#')) yield { where: `${list.name} line ${number}`, text: entry };
  }
}
