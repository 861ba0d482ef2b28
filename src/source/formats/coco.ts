import { Readable } from 'node:stream';
import { pick } from 'stream-json/filters/pick.js';
import { z } from 'zod';
import { isMillraceError, MillraceError, systemCode, toError } from '../../runtime/errors.ts';
import { invalid, type ListEntry } from '../list-entry.ts';
import { pipeThrough } from '../pipe-through.ts';
import { readText } from '../utf8.ts';
import { describeIssue } from './json-lines.ts';
import type { ListFile } from './list-file.ts';

const cocoImage = z.object({ id: z.int().positive(), file_name: z.string().min(1) });

/**
 * `.json`, a COCO dataset: `id` and `file_name` of its `images`, streamed; what stands before them is read past.
 *
 * @throws MillraceError SOURCE_INVALID where it is no JSON document up to there, has no images, or an image lacks either.
 */
export async function* readCocoList(list: ListFile): AsyncGenerator<ListEntry> {
  let index = 0;
  for await (const found of imagesOf(list)) {
    const where = `${list.name} images[${index++}]`;
    const parsed = cocoImage.safeParse(found);
    if (!parsed.success) throw invalid(where, describeIssue(parsed.error), parsed.error);
    yield { where, text: parsed.data.file_name, imageId: parsed.data.id };
  }
}

async function* imagesOf(list: ListFile): AsyncGenerator {
  const picker = new ImagePicker();
  const tokens = pick.withParserAsStream({ filter: 'images', once: true, streamValues: false });
  try {
    for await (const token of pipeThrough(Readable.from(readText(list.stream(), list.name)), tokens)) {
      const image = isToken(token) ? picker.take(token) : undefined;
      if (image !== undefined) yield image;
      // What stands after the images, most of a dataset, is not even read.
      if (picker.isDone) return;
    }
  } catch (error) {
    // The parser's own errors are plain ones, without a code.
    if (isMillraceError(error) || systemCode(error) !== undefined) throw error;
    throw invalid(list.name, `is no JSON document: ${toError(error).message}`, error);
  }
  throw new MillraceError('SOURCE_INVALID', `${list.name} has no "images": it is no COCO dataset.`);
}

interface Token {
  readonly name: string;
  readonly value?: unknown;
}

const isToken = (value: unknown): value is Token =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';

/** Depth of an image's own fields: in an object, in the array. */
const IMAGE_DEPTH = 2;

/** Makes images of the tokens of the array, and keeps of each what is wanted. */
class ImagePicker {
  #depth = 0;
  #field = '';
  #image: Record<string, unknown> = {};
  #isArray = false;
  isDone = false;

  /** The image that ends with this token, if one does. */
  take({ name, value }: Token): unknown {
    switch (name) {
      case 'startObject':
      case 'startArray':
        this.#depth += 1;
        if (this.#depth === 1) this.#isArray = name === 'startArray';
        if (this.#depth === IMAGE_DEPTH) this.#image = {};
        return undefined;
      case 'endObject':
      case 'endArray':
        this.#depth -= 1;
        this.isDone = this.#isArray && this.#depth === 0;
        return this.#isArray && this.#depth === IMAGE_DEPTH - 1 ? this.#image : undefined;
      case 'keyValue':
        if (this.#depth === IMAGE_DEPTH) this.#field = String(value);
        return undefined;
      default:
        return this.#takeValue(name === 'numberValue' ? Number(value) : value);
    }
  }

  /** A value that stands among the images is handed on, to be refused; in one, `id` and `file_name` are kept. */
  #takeValue(value: unknown): unknown {
    if (this.#isArray && this.#depth === IMAGE_DEPTH - 1) return value ?? 'null';
    if (this.#depth === IMAGE_DEPTH && (this.#field === 'id' || this.#field === 'file_name'))
      this.#image[this.#field] = value;
    return undefined;
  }
}
