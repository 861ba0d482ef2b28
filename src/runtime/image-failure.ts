/** Why one image has no detections. A failure is data: it becomes the image's record and never fails its batch. */
export const FAILURE_CLASSES = [
  'not_found',
  'access_denied',
  'changed',
  'empty',
  'too_large',
  'not_an_image',
  'truncated',
  'unsupported',
  'decode_failed',
  'inference_failed',
  'inference_crashed',
] as const;

export type FailureClass = (typeof FAILURE_CLASSES)[number];

export class ImageFailure extends Error {
  readonly failureClass: FailureClass;

  /** `message` holds nothing that changes between two runs: no time, host, path or library version. */
  constructor(failureClass: FailureClass, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ImageFailure';
    this.failureClass = failureClass;
  }
}
