import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeRle } from '../../src/vision/rle.ts';
import { fixtureModel, fixtureScenes, millrace, readJsonFile, temporaryFolder } from './helpers/cli.ts';

const reference = z.object({
  images: z.array(
    z.object({
      file: z.string(),
      height: z.int(),
      width: z.int(),
      detections: z.array(
        z.object({
          box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
          label: z.int(),
          score: z.number(),
          rle: z.object({ counts: z.string() }).optional(),
        }),
      ),
    }),
  ),
});

const dataset = z.object({
  images: z.array(z.object({ id: z.int(), file_name: z.string(), height: z.int() })),
  annotations: z.array(
    z.object({
      image_id: z.int(),
      category_id: z.int(),
      score: z.number(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      segmentation: z.union([z.object({ counts: z.string() }), z.array(z.never())]),
    }),
  ),
});

/** Pixels of a mask, as indices down the columns. */
function pixelsOf(counts: string): Set<number> {
  const pixels = new Set<number>();
  let [at, value] = [0, 0];
  for (const run of decodeRle(counts)) {
    if (value === 1) for (let pixel = at; pixel < at + run; pixel++) pixels.add(pixel);
    at += run;
    value = 1 - value;
  }
  return pixels;
}

function maskIou(a: string, b: string): number {
  const [first, second] = [pixelsOf(a), pixelsOf(b)];
  const common = [...first].filter((pixel) => second.has(pixel)).length;
  return common / (first.size + second.size - common);
}

/**
 * What PyTorch finds in each scene, against the whole way from the file. `tiny-torchvision` takes the pixels as they
 * are; the others are resized and rounded to uint8, which is what their tolerance is.
 */
describe.each([
  { model: 'tiny-torchvision', boxPx: 0.01, score: 1e-4, mask: 0.999 },
  { model: 'tiny-mask-rcnn', boxPx: 0.5, score: 0.02, mask: 0.97 },
  { model: 'tiny-faster-rcnn', boxPx: 0.5, score: 0.02, mask: undefined },
])('$model', ({ model, boxPx, score, mask }) => {
  it('finds from the files what PyTorch finds', async () => {
    const output = temporaryFolder();
    const folder = fixtureModel(model);
    const flags = ['--label-threshold', '0.05', '--no-annotate'];
    const run = await millrace(['run', fixtureScenes, '--model', folder, '--output', output, ...flags]);
    expect(run.exitCode, run.stderr).toBe(0);
    const found = dataset.parse(readJsonFile(output, 'annotations.json'));
    const expected = reference.parse(JSON.parse(readFileSync(path.join(folder, 'reference.json'), 'utf8')));
    expect(found.images.map(({ file_name }) => file_name)).toEqual(expected.images.map(({ file }) => file));
    for (const [index, image] of expected.images.entries()) {
      const annotations = found.annotations.filter(({ image_id }) => image_id === found.images[index]!.id);
      // A detection at the very threshold may fall on either side of it.
      const clear = image.detections.filter((detection) => detection.score > 0.05 + score);
      const clearlyFound = annotations.filter((annotation) => annotation.score > 0.05 + score);
      expect(annotations.length, image.file).toBeGreaterThanOrEqual(clear.length);
      expect(clearlyFound.length, image.file).toBeLessThanOrEqual(image.detections.length);
      const unmatched = new Set(annotations);
      for (const detection of clear) {
        const [x1, y1, x2, y2] = detection.box;
        const match = [...unmatched].find(
          ({ bbox: [x, y, w, h], ...annotation }) =>
            Math.max(Math.abs(x - x1), Math.abs(y - y1), Math.abs(x + w - x2), Math.abs(y + h - y2)) <
              boxPx && Math.abs(annotation.score - detection.score) < score,
        );
        expect(match, `${image.file} ${JSON.stringify(detection.box)} ${detection.score}`).toBeDefined();
        if (!match) continue;
        unmatched.delete(match);
        expect(match.category_id).toBe(detection.label);
        const counts = 'counts' in match.segmentation ? match.segmentation.counts : undefined;
        if (mask === undefined) expect(counts).toBeUndefined();
        else expect(maskIou(counts!, detection.rle!.counts), image.file).toBeGreaterThan(mask);
      }
    }
  });
});
