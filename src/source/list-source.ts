import { MillraceError } from '../runtime/errors.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import { parseStorageUri, type StorageLocation } from '../storage/uri.ts';
import { readCocoList } from './formats/coco.ts';
import { readCsvList } from './formats/csv.ts';
import { readInventory } from './formats/inventory.ts';
import { readJsonLinesList } from './formats/json-lines.ts';
import { listFile, type ListFile, type Reader } from './formats/list-file.ts';
import { readTextList } from './formats/text.ts';
import { type ListEntry, nameImage, type NamedImage } from './list-entry.ts';
import type { ListFormat, SourcePlace } from './parse-source.ts';
import { childOf, folderUri, objectUri, splitObject } from './place.ts';
import type { Source, SourceImage } from './source.ts';
import { UniqueImages } from './unique.ts';

/** Links are looked up this many at once. */
const CHECK_CONCURRENCY = 32;

const FORMATS: Readonly<Record<ListFormat, (list: ListFile, reader: Reader) => AsyncIterable<ListEntry>>> = {
  txt: readTextList,
  jsonl: readJsonLinesList,
  csv: readCsvList,
  coco: readCocoList,
  inventory: readInventory,
};

/** The images that a list names, in its order. */
export function listSource(place: Extract<SourcePlace, { kind: 'list' }>, reader: Reader): Source {
  const { uri, format, list, root } = place;
  const file = listFile(list, reader);

  async function* named(): AsyncGenerator<NamedImage & { readonly entry: ListEntry }> {
    for await (const entry of FORMATS[format](file, reader)) yield { entry, ...nameImage(entry, root) };
  }
  async function* unique(): AsyncGenerator<NamedImage & { readonly entry: ListEntry }> {
    const images = new UniqueImages(named);
    for await (const image of named()) {
      await images.add(image);
      yield image;
    }
  }
  const locate = (image: { readonly key: string; readonly uri?: string | undefined }): StorageLocation =>
    image.uri === undefined ? childOf(root, image.key) : parseStorageUri(image.uri, '/');

  return {
    uri,

    list: () =>
      mapOrdered(unique(), CHECK_CONCURRENCY, async ({ entry, key, uri, location }) => {
        await reader.assertAllowed(location, `${entry.where}: ${objectUri(location)}`);
        return toSourceImage(entry, key, uri);
      }),

    async get(image, { maxBytes }) {
      const location = locate(image);
      await reader.assertAllowed(location, objectUri(location));
      const { storage, key } =
        image.uri === undefined ? { storage: folderUri(root), key: image.key } : splitObject(location);
      const { etag } = image;
      return (await reader.open(storage)).get(key, {
        maxBytes,
        ...(etag === undefined ? {} : { ifMatch: etag }),
      });
    },

    async assertThere() {
      const { storage, key } = await file.open();
      if (!(await storage.stat(key)))
        throw new MillraceError('STORAGE_UNAVAILABLE', `the list ${file.name} is gone`);
      if (root.scheme === 's3') return;
      for await (const _ of (await reader.open(folderUri(root))).list('')) return;
      throw new MillraceError(
        'STORAGE_UNAVAILABLE',
        `the folder ${folderUri(root)} is gone: nothing is in it any more`,
      );
    },
  };
}

const toSourceImage = (
  { imageId, sizeBytes, etag }: ListEntry,
  key: string,
  uri: string | undefined,
): SourceImage => ({
  key,
  ...(uri === undefined ? {} : { uri }),
  ...(sizeBytes === undefined ? {} : { sizeBytes }),
  // Storages show etags without the quotes that S3 itself puts around them.
  ...(etag === undefined ? {} : { etag: etag.replace(/^"(.*)"$/, '$1') }),
  ...(imageId === undefined ? {} : { imageId }),
});
