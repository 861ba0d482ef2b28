import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A file of `data/vision/`, written by `make_vision_goldens.py`. */
export function readVisionGoldens<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(new URL(`data/vision/${name}.json`, import.meta.url), 'utf8')));
}

export const bytes = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

export const floats = bytes.transform((data) => new Float32Array(data.buffer));

/** 16-bit integers k for float32(k / 65535). */
export const softValues = bytes.transform((data) =>
  Float32Array.from(new Uint16Array(data.buffer), (k) => k / 65535),
);

/** [height, width]. */
export const size = z.tuple([z.int(), z.int()]).transform(([height, width]) => ({ height, width }));

export const encodedMask = { counts: z.string(), area: z.int() };
