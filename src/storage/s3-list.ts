import { Readable } from 'node:stream';
import { compareKeys } from './keys.ts';
import { cutKeys, type KeyRange } from './s3-key-ranges.ts';
import { listPages } from './s3-list-pages.ts';
import type { S3Place } from './s3-place.ts';
import type { StoredObject } from './storage.ts';

/** How many parts of the key space are listed at once. */
const PARALLEL_RANGES = 8;
/** How far each may run ahead of the reader. With 1,000 objects a page, some 40 MB for all. */
const PAGES_AHEAD = 16;
/** Each costs a request of its own, however few keys are in it. */
const MAX_RANGES = 128;
/** How many folders that hold nothing but one folder are entered to find several. */
const MAX_DESCENTS = 8;

/**
 * Everything below `prefix`, in the order of the keys' bytes. A first look at the sub-prefixes tells where the key
 * space can be cut; the ranges between the cuts are then listed in parallel, some ahead of the reader. So a flat
 * prefix costs one request more than necessary, and many tiny sub-prefixes share one range.
 */
export async function* listObjects(place: S3Place, prefix: string): AsyncGenerator<StoredObject> {
  const stop = new AbortController();
  try {
    const survey = await surveyPrefix(place, place.prefix + prefix, stop.signal);
    const pages = survey.isWhole
      ? [survey.objects]
      : inOrder(
          cutKeys(survey.prefixes, MAX_RANGES).map(
            (range) => () => listRange(place, survey.prefix, range, stop.signal),
          ),
        );
    for await (const page of pages)
      for (const object of page)
        // An object of the very name of the place, as some tools make to show a folder, has no key below it.
        if (object.key !== '') yield object;
  } finally {
    stop.abort();
  }
}

interface Survey {
  readonly prefix: string;
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** Whether `objects` is everything. */
  readonly isWhole: boolean;
}

/** The first page of what is directly below `prefix`, or below the only folder in it. */
async function surveyPrefix(place: S3Place, prefix: string, signal: AbortSignal): Promise<Survey> {
  let current = prefix;
  for (let descents = 0; ; descents++) {
    const pages = listPages(place, { prefix: current, delimiter: '/', signal });
    const { value: page } = await pages.next();
    await pages.return(undefined);
    if (page === undefined) return { prefix: current, objects: [], prefixes: [], isWhole: true };
    const { objects, prefixes, isLast } = page;
    const [first] = prefixes;
    const isOneFolder = isLast && objects.length === 0 && prefixes.length === 1;
    if (!isOneFolder || first === undefined || descents === MAX_DESCENTS)
      return { prefix: current, objects, prefixes, isWhole: isLast && prefixes.length === 0 };
    current = first;
  }
}

async function* listRange(
  place: S3Place,
  prefix: string,
  { startAfter, last }: KeyRange,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredObject[]> {
  for await (const { objects } of listPages(place, { prefix, startAfter, signal })) {
    const inside =
      last === undefined ? objects : objects.filter(({ key }) => compareKeys(place.prefix + key, last) <= 0);
    if (inside.length > 0) yield inside;
    if (inside.length < objects.length) return;
  }
}

/** What the sources yield, one source after the other, with the next ones under way. */
async function* inOrder(
  sources: readonly (() => AsyncIterable<readonly StoredObject[]>)[],
): AsyncGenerator<readonly StoredObject[]> {
  const started: Readable[] = [];
  try {
    for (const index of sources.keys()) {
      for (const source of sources.slice(started.length, index + PARALLEL_RANGES))
        started.push(startReading(source()));
      for await (const page of started[index] ?? []) yield page;
    }
  } finally {
    for (const source of started) source.destroy();
  }
}

function startReading(pages: AsyncIterable<readonly StoredObject[]>): Readable {
  const readable = Readable.from(pages, { highWaterMark: PAGES_AHEAD });
  // It is thrown where the pages are read, in their turn.
  readable.on('error', () => {});
  readable.read(0);
  return readable;
}
