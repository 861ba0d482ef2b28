import { type Duplex, pipeline, type Readable } from 'node:stream';

/**
 * What `transform` makes of `source`. An error of either ends the iteration, and ending it early ends both.
 */
export function pipeThrough(source: Readable, transform: Duplex): AsyncIterable<unknown> {
  // The iteration meets the same error.
  pipeline(source, transform, () => undefined);
  return transform;
}
