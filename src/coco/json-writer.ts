import type { CocoAnnotation, CocoCategory, CocoImage, CocoInfo } from './format.ts';

/** Takes the next piece of a text; resolves when it may be given more. */
export type WriteText = (text: string) => Promise<void>;

/** Writes a JSON array item by item, each on its own line. An array of nothing is `[]`. */
export interface JsonArrayWriter<Item> {
  readonly item: (item: Item) => Promise<void>;
  readonly end: () => Promise<void>;
}

export function jsonArrayWriter<Item>(write: WriteText): JsonArrayWriter<Item> {
  let isEmpty = true;
  return {
    item(item) {
      const before = isEmpty ? '[\n' : ',\n';
      isEmpty = false;
      return write(before + JSON.stringify(item));
    },
    end: () => write(isEmpty ? '[]' : '\n]'),
  };
}

/** Writes a COCO results JSON, what `loadRes` reads. Of no results at all it is `[]`, which `loadRes` refuses. */
export function resultsWriter<Result>(write: WriteText): JsonArrayWriter<Result> {
  const results = jsonArrayWriter<Result>(write);
  return {
    item: results.item,
    async end() {
      await results.end();
      await write('\n');
    },
  };
}

/** Writes a COCO dataset JSON: every image, then every annotation, then the end. */
export interface DatasetWriter {
  readonly image: (image: CocoImage) => Promise<void>;
  readonly endImages: () => Promise<void>;
  readonly annotation: (annotation: CocoAnnotation) => Promise<void>;
  readonly end: (categories: readonly CocoCategory[]) => Promise<void>;
}

export async function datasetWriter(write: WriteText, info: CocoInfo): Promise<DatasetWriter> {
  const images = jsonArrayWriter<CocoImage>(write);
  const annotations = jsonArrayWriter<CocoAnnotation>(write);
  // CVAT's importer fails without `licenses`, empty or not.
  await write(`{"info":${JSON.stringify(info)},\n"licenses":[],\n"images":`);
  return {
    image: images.item,
    async endImages() {
      await images.end();
      await write(',\n"annotations":');
    },
    annotation: annotations.item,
    async end(categories) {
      await annotations.end();
      await write(`,\n"categories":${JSON.stringify(categories)}}\n`);
    },
  };
}
