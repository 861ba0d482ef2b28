import type { PlannedImage } from '../run/documents.ts';
import { isMillraceError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import type { Source } from '../source/source.ts';

export interface FetchContext {
  readonly source: Pick<Source, 'get' | 'assertThere'>;
  readonly maxImageBytes: number;
}

/**
 * The bytes of one planned image, as they were when the run was planned.
 *
 * @throws ImageFailure `not_found`, `access_denied`, `changed`, `too_large`: this image's own fault. Storage trouble is
 *   thrown as it is, for a retry; so is that of a source
 *   that is gone itself, which is looked for before an image is blamed for being gone or closed.
 */
export async function fetchImage(image: PlannedImage, context: FetchContext): Promise<Uint8Array> {
  try {
    return await context.source.get(image, { maxBytes: context.maxImageBytes });
  } catch (error) {
    if (isMillraceError(error, 'OBJECT_NOT_FOUND')) {
      await context.source.assertThere();
      throw new ImageFailure('not_found', 'the file is gone since the run was planned', { cause: error });
    }
    if (isMillraceError(error, 'OBJECT_CHANGED'))
      throw new ImageFailure('changed', 'the file has changed since the run was planned', { cause: error });
    if (isMillraceError(error, 'OBJECT_TOO_LARGE')) {
      const size = image.size === undefined ? '' : `${image.size} bytes, `;
      throw new ImageFailure('too_large', `${size}at most ${context.maxImageBytes} bytes are read`, {
        cause: error,
      });
    }
    if (isMillraceError(error, 'ACCESS_DENIED')) {
      await context.source.assertThere();
      throw new ImageFailure('access_denied', 'no permission to read the file', { cause: error });
    }
    throw error;
  }
}
