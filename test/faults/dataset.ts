import { readdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { mapOrdered } from '../../src/runtime/map-ordered.ts';
import type { FailureClass } from '../../src/runtime/image-failure.ts';
import { openStorage } from '../../src/storage/open.ts';
import { demoImages } from '../integration/helpers/cli.ts';
import { random } from './random.ts';

export interface Dataset {
  /** Every key, in the order of a listing. */
  readonly keys: readonly string[];
  /** What becomes of those that are broken. */
  readonly broken: ReadonlyMap<string, FailureClass>;
}

/** Of one colour, by which `inference-faults.mjs` knows it in the network's input. */
export const POISON = { key: 'part-3/poison.png', color: { r: 255, g: 0, b: 255 } } as const;

const UPLOADS_AT_ONCE = 16;
/** One image in so many is broken: less than the default budget of failures. */
const BROKEN_EVERY = 40;
const SCENES = path.join(demoImages, 'desk');
/** Width of a scene. */
const SCENE_PX = 128;

interface Scene {
  readonly pixels: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
}

type Break = readonly [FailureClass, (encoded: Buffer) => Buffer];

const BREAKS: readonly Break[] = [
  ['empty', () => Buffer.alloc(0)],
  ['not_an_image', () => Buffer.from('no image at all\n')],
  ['truncated', (encoded) => encoded.subarray(0, encoded.length >> 1)],
  ['unsupported', () => Buffer.from('%PDF-1.7\n')],
];

/** Puts so many small images below a storage URI: equal seeds, equal bytes. */
export async function uploadDataset(uri: string, images: number, seed: number): Promise<Dataset> {
  const storage = await openStorage(uri);
  const next = random(seed);
  const scenes = await readScenes();
  const broken = new Map<string, FailureClass>();
  const keys: string[] = [];
  const upload = async ({ index, numbers }: { index: number; numbers: () => number }): Promise<string> => {
    const isJpeg = index % 3 !== 0;
    const key = `part-${index % 7}/${String(index).padStart(5, '0')}.${isJpeg ? 'jpg' : 'png'}`;
    const scene = scenes[index % scenes.length];
    if (!scene) throw new Error(`${SCENES} holds no image`);
    const encoded = await drawImage(scene, numbers, isJpeg);
    const fault =
      index % BROKEN_EVERY === 1 ? BREAKS[Math.floor(index / BROKEN_EVERY) % BREAKS.length] : undefined;
    if (fault) broken.set(key, fault[0]);
    await storage.put(key, fault ? fault[1](encoded) : encoded);
    return key;
  };
  const drawn = Array.from({ length: images - 1 }, (_, index) => ({
    index,
    numbers: random(next() * 2 ** 32),
  }));
  for await (const key of mapOrdered(drawn, UPLOADS_AT_ONCE, upload)) keys.push(key);
  const poison = sharp({ create: { width: 96, height: 96, channels: 3, background: POISON.color } });
  await storage.put(POISON.key, await poison.png().toBuffer());
  // Keys are ASCII: the order of their UTF-16 units is that of their bytes.
  return { keys: [...keys, POISON.key].toSorted((a, b) => (a < b ? -1 : 1)), broken };
}

/** The demo's photos of a desk with cards, on which the model of the ring has something to find. */
function readScenes(): Promise<Scene[]> {
  const names = readdirSync(SCENES).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const small = sharp(path.join(SCENES, name)).autoOrient().resize(SCENE_PX);
      const { data, info } = await small
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return { pixels: data, width: info.width, height: info.height, channels: 3 };
    }),
  );
}

/** A piece of a scene, in another light. */
function drawImage({ pixels, ...raw }: Scene, next: () => number, isJpeg: boolean): Promise<Buffer> {
  const width = Math.floor(raw.width * (0.7 + 0.3 * next()));
  const height = Math.floor(raw.height * (0.7 + 0.3 * next()));
  const left = Math.floor((raw.width - width) * next());
  const top = Math.floor((raw.height - height) * next());
  const image = sharp(pixels, { raw })
    .extract({ left, top, width, height })
    .flop(next() < 0.5)
    .modulate({ brightness: 0.85 + 0.3 * next() });
  return (isJpeg ? image.jpeg({ quality: 90 }) : image.png()).toBuffer();
}
