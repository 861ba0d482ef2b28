import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { MillraceError } from '../runtime/errors.ts';
import { compareKeys } from './keys.ts';
import { fromS3Error } from './s3-errors.ts';
import { type S3Place, uriOf } from './s3-place.ts';
import { unquoted } from './s3-read.ts';
import type { StoredObject } from './storage.ts';

/** One answer to a listing; both lists are in the order of their keys. */
export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** With a delimiter: what is below the next `/`, as whole prefixes of the bucket. */
  readonly prefixes: readonly string[];
  readonly isLast: boolean;
}

export interface ListRequest {
  /** In the bucket. */
  readonly prefix: string;
  /** In the bucket; itself excluded. */
  readonly startAfter?: string | undefined;
  readonly delimiter?: string;
  readonly signal: AbortSignal;
}

/**
 * The pages of one listing, one after the other. Throws when a page cannot be had, and when the pages contradict each
 * other (no way to go on, keys out of order or outside the prefix): a list is whole or it is an error.
 * @throws MillraceError `STORAGE_UNAVAILABLE`, `BUCKET_NOT_FOUND`, `ACCESS_DENIED`, `CREDENTIALS_INVALID`
 */
export async function* listPages(place: S3Place, request: ListRequest): AsyncGenerator<ListPage> {
  const { prefix, startAfter, delimiter, signal } = request;
  const listed = { ...place, prefix };
  let token: string | undefined;
  let last = { key: startAfter ?? '', prefix: startAfter ?? '' };
  for (;;) {
    const command = new ListObjectsV2Command({
      Bucket: place.bucket,
      Prefix: prefix,
      EncodingType: 'url',
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(token !== undefined || startAfter === undefined ? {} : { StartAfter: startAfter }),
    });
    let page: ListPage;
    let nextToken: string | undefined;
    try {
      const answer = await place.client.send(command, { abortSignal: signal });
      page = readPage(place, answer);
      nextToken = answer.NextContinuationToken;
    } catch (error) {
      throw fromS3Error(error, 'list', uriOf(listed, ''));
    }
    const keys = page.objects.map((object) => place.prefix + object.key);
    assertAscending(listed, last.key, keys);
    assertAscending(listed, last.prefix, page.prefixes);
    last = { key: keys.at(-1) ?? last.key, prefix: page.prefixes.at(-1) ?? last.prefix };
    if (!page.isLast && nextToken === undefined)
      throw broken(listed, 'a page says that there are more and not how to go on');
    if (!page.isLast && nextToken === token) throw broken(listed, 'a page leads to itself');
    yield page;
    if (page.isLast) return;
    token = nextToken;
  }
}

function readPage(place: S3Place, answer: ListObjectsV2CommandOutput): ListPage {
  const decode =
    answer.EncodingType === 'url'
      ? (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))
      : (text: string): string => text;
  return {
    objects: (answer.Contents ?? []).map(({ Key, Size, ETag }) => {
      if (Key === undefined || Size === undefined || ETag === undefined)
        throw broken(place, 'an entry lacks its key, size or etag');
      return { key: decode(Key).slice(place.prefix.length), sizeBytes: Size, etag: unquoted(ETag) };
    }),
    prefixes: (answer.CommonPrefixes ?? []).map(({ Prefix }) => {
      if (Prefix === undefined) throw broken(place, 'a common prefix is empty');
      return decode(Prefix);
    }),
    isLast: answer.IsTruncated !== true,
  };
}

/** The keys have to follow `previous` (excluded) in the order of their bytes, below the prefix of `listed`. */
function assertAscending(listed: S3Place, previous: string, keys: readonly string[]): void {
  let last = previous;
  for (const key of keys) {
    if (!key.startsWith(listed.prefix)) throw broken(listed, 'a key is outside the prefix');
    if (last !== '' && compareKeys(last, key) >= 0)
      throw broken(listed, 'the keys are not in the order of their bytes');
    last = key;
  }
}

const broken = (listed: S3Place, reason: string): MillraceError =>
  new MillraceError('STORAGE_UNAVAILABLE', `Cannot list ${uriOf(listed, '')} completely: ${reason}.`);
