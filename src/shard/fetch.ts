import type { PlannedImage } from '../run/documents.ts';
import { isMillraceError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import type { Storage } from '../storage/storage.ts';

export interface FetchContext {
  readonly source: Storage;
  readonly maxImageBytes: number;
  /** Lists the source; throws when that fails or finds nothing, which no image is to blame for. */
  readonly sourceCanary: () => Promise<void>;
}

/**
 * The bytes of one planned image, as they were when the run was planned.
 *
 * @throws ImageFailure `not_found`, `access_denied`, `changed`, `too_large`: this image's own fault. Storage trouble is
 *   thrown as it is, for a retry; so is the canary's, which is asked before an image is blamed for being gone or closed.
 */
export async function fetchImage(image: PlannedImage, context: FetchContext): Promise<Uint8Array> {
  try {
    return await context.source.get(image.key, {
      maxBytes: context.maxImageBytes,
      ...(image.etag === undefined ? {} : { ifMatch: image.etag }),
    });
  } catch (error) {
    if (isMillraceError(error, 'OBJECT_NOT_FOUND')) {
      await context.sourceCanary();
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
      await context.sourceCanary();
      throw new ImageFailure('access_denied', 'no permission to read the file', { cause: error });
    }
    throw error;
  }
}
