import picomatch from 'picomatch/posix.js';
import { MillraceError } from '../runtime/errors.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import type { Storage } from '../storage/storage.ts';
import type { StorageLocation } from '../storage/uri.ts';
import type { AssertAllowed } from './allowed-uris.ts';
import { isImageKey } from './image-names.ts';
import { childOf, GLOB_CHARACTERS, objectUri } from './place.ts';
import type { Source, SourceImage } from './source.ts';

/** Links are looked up this many at once, where only some places are allowed. */
const CHECK_CONCURRENCY = 32;

interface PrefixOptions {
  readonly uri: string;
  readonly folder: StorageLocation;
  readonly storage: Storage;
  /** Takes only the keys that it matches. */
  readonly glob?: string;
  readonly assertAllowed?: AssertAllowed;
}

/** The images below a folder or an S3 prefix. */
export function prefixSource({ uri, folder, storage, glob, assertAllowed }: PrefixOptions): Source {
  const matches = glob === undefined ? () => true : matcherOf(glob);
  // Only what can match is listed.
  const listed = glob === undefined ? '' : glob.slice(0, glob.search(GLOB_CHARACTERS));

  // Below an allowed prefix everything is; below a folder, links lead anywhere.
  const assertKeyAllowed = async (key: string): Promise<void> => {
    if (folder.scheme === 's3') return;
    const place = childOf(folder, key);
    await assertAllowed?.(place, objectUri(place));
  };
  async function* images(): AsyncGenerator<SourceImage> {
    for await (const { key, sizeBytes, etag } of storage.list(listed))
      if (isImageKey(key) && matches(key)) yield { key, sizeBytes, etag };
  }
  return {
    uri,

    list() {
      if (!assertAllowed || folder.scheme !== 'file') return images();
      return mapOrdered(images(), CHECK_CONCURRENCY, async (image) => {
        await assertKeyAllowed(image.key);
        return image;
      });
    },

    async get({ key, etag }, { maxBytes }) {
      await assertKeyAllowed(key);
      return storage.get(key, { maxBytes, ...(etag === undefined ? {} : { ifMatch: etag }) });
    },

    async assertThere() {
      for await (const _ of storage.list('')) return;
      throw new MillraceError('STORAGE_UNAVAILABLE', `the source ${uri} is gone: nothing is in it any more`);
    },
  };
}

/** `*`, `**`, `?`, `[a-z]`, `{a,b}`; a backslash escapes one. Parentheses, `!`, `+`, `@` and `|` are themselves. */
function matcherOf(glob: string): (key: string) => boolean {
  const literalOthers = glob.replaceAll(/\\.|[()|+@]/gs, (found) =>
    found.length > 1 ? found : `\\${found}`,
  );
  return picomatch(literalOthers, { nonegate: true, noextglob: true, posix: true, strictSlashes: true });
}
