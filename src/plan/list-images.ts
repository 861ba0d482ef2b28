import { MillraceError } from '../runtime/errors.ts';
import { IMAGE_EXTENSIONS } from '../source/image-names.ts';
import type { Source } from '../source/source.ts';

/** @throws MillraceError SOURCE_EMPTY where there is no image, and what listing the first one throws. */
export async function assertHasImages(source: Source): Promise<void> {
  for await (const _ of source.list()) return;
  throw new MillraceError(
    'SOURCE_EMPTY',
    `${source.uri} holds no image: looked for files ending in ` +
      `${IMAGE_EXTENSIONS.map((extension) => `.${extension}`).join(' ')}, in sub-folders too; a list has to name one`,
  );
}
