import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type CliResult,
  demoImages,
  demoModel,
  finalFiles,
  millrace,
  readJsonFile,
  temporaryFolder,
} from './helpers/cli.ts';

const dataset = z.object({
  images: z.array(z.object({ id: z.int(), file_name: z.string(), width: z.int(), height: z.int() })),
  annotations: z.array(
    z.object({
      id: z.int(),
      image_id: z.int(),
      category_id: z.int(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      score: z.number(),
      segmentation: z.object({ size: z.tuple([z.int(), z.int()]), counts: z.string() }),
    }),
  ),
});
const results = z.array(z.object({ image_id: z.int(), score: z.number() }));

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

describe('millrace run on the demo images', () => {
  const output = path.join(temporaryFolder(), 'out');
  const command = ['run', demoImages, '--model', demoModel, '--output', output, '--json'];
  let result: CliResult;
  beforeAll(async () => {
    result = await millrace(command);
  });

  it('ends well and accounts for every image', () => {
    expect(result.exitCode, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      images: 33,
      labelled: 30,
      failed: 3,
      failures: { truncated: 1, not_an_image: 1, empty: 1 },
      alreadyComplete: false,
    });
    expect(readJsonFile(output, '_SUCCESS')).toMatchObject({ images: 33, labelled: 30, failed: 3 });
  });

  it('writes a COCO dataset with unique ids and finds cards in it', () => {
    const { images, annotations } = dataset.parse(readJsonFile(output, 'annotations.json'));
    expect(images).toHaveLength(30);
    expect(new Set(images.map(({ id }) => id)).size).toBe(30);
    expect(annotations.map(({ id }) => id)).toEqual(annotations.map((_, index) => index + 1));
    expect(annotations.length).toBeGreaterThan(40);
    expect(annotations.every(({ score }) => score >= 0.5)).toBe(true);
  });

  it('writes results for loadRes, with lower scores too', () => {
    const bbox = results.parse(readJsonFile(output, 'results/bbox.json'));
    const segm = results.parse(readJsonFile(output, 'results/segm.json'));
    expect(bbox).toHaveLength(segm.length);
    expect(Math.min(...bbox.map(({ score }) => score))).toBeLessThan(0.5);
  });

  it('annotates every labelled image under its whole key', () => {
    const { images } = dataset.parse(readJsonFile(output, 'annotations.json'));
    const annotated = filesBelow(path.join(output, 'annotated'));
    expect(new Set(annotated)).toEqual(new Set(images.map(({ file_name }) => `${file_name}.jpg`)));
    for (const name of annotated) {
      const bytes = readFileSync(path.join(output, 'annotated', name));
      expect([...bytes.subarray(0, 3)], name).toEqual([0xff, 0xd8, 0xff]);
    }
  });

  it('lists the failures with class and reason', () => {
    const lines = readFileSync(path.join(output, 'failures.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(4);
    for (const failureClass of ['truncated', 'not_an_image', 'empty'])
      expect(lines.some((line) => line.includes(`,${failureClass},`))).toBe(true);
  });

  it('does nothing the second time, and says so', async () => {
    const before = finalFiles(output);
    const again = await millrace(command.slice(0, -1));
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toMatch(/Nothing to do: this run is complete/);
    expect(finalFiles(output)).toEqual(before);
  });

  it('refuses another run on the same output and says what differs', async () => {
    const other = await millrace([...command, '--score-threshold', '0.4']);
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toMatch(/holds another run:\n\s+--score-threshold: 0\.05 there, 0\.4 now/);
  });

  it('leaves no temporary files', () => {
    expect(filesBelow(output).filter((name) => name.startsWith('.millrace-tmp'))).toEqual([]);
  });
});

describe('an image and its neighbours', () => {
  it('finds the same, whatever the order, the shard size and the batch size', async () => {
    const [first, second] = [path.join(temporaryFolder(), 'a'), path.join(temporaryFolder(), 'b')];
    const shuffled = temporaryFolder();
    const keys = filesBelow(demoImages).toSorted();
    // Names decide the order: a prefix from a multiplicative shuffle gives every image other neighbours.
    keys.forEach((key, index) => {
      const target = path.join(
        shuffled,
        `${String((index * 17) % keys.length).padStart(2, '0')}-${key.replaceAll('/', '-')}`,
      );
      mkdirSync(path.dirname(target), { recursive: true });
      copyFileSync(path.join(demoImages, key), target);
    });
    const options = ['--model', demoModel, '--no-annotate'];
    expect(
      await millrace(['run', demoImages, '--output', first, ...options, '--shard-size', '33']),
    ).toMatchObject({ exitCode: 0 });
    expect(
      await millrace([
        'run',
        shuffled,
        '--output',
        second,
        ...options,
        '--shard-size',
        '5',
        '--batch-size',
        '3',
      ]),
    ).toMatchObject({ exitCode: 0 });
    const detections = (output: string, keyOf: (name: string) => string) => {
      const { images, annotations } = dataset.parse(readJsonFile(output, 'annotations.json'));
      const nameOf = new Map(images.map(({ id, file_name }) => [id, keyOf(file_name)]));
      return new Map(
        [...nameOf.values()].map((name) => [
          name,
          annotations.filter(({ image_id }) => nameOf.get(image_id) === name),
        ]),
      );
    };
    const alone = detections(first, (name) => name.replaceAll('/', '-'));
    const mixed = detections(second, (name) => name.slice(3));
    expect([...mixed.keys()].toSorted()).toEqual([...alone.keys()].toSorted());
    for (const [name, expected] of alone) {
      const found = mixed.get(name) ?? [];
      expect(found.length, name).toBe(expected.length);
      found.forEach((annotation, rank) => {
        expect(annotation.score).toBeCloseTo(expected[rank]!.score, 5);
        annotation.bbox.forEach((value, side) =>
          expect(Math.abs(value - expected[rank]!.bbox[side]!)).toBeLessThan(1e-3),
        );
        expect(annotation.segmentation).toEqual(expected[rank]!.segmentation);
      });
    }
    expect(existsSync(path.join(first, 'annotated'))).toBe(false);
  });
});
