import { createCanvas, loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { annotateImage, encodeJpeg } from '../../../src/draw/annotate-image.ts';
import { drawAnnotations } from '../../../src/draw/draw-annotations.ts';
import type { Detections, EncodedMask } from '../../../src/vision/detections.ts';
import type { RgbImage } from '../../../src/vision/geometry.ts';

const GREY = [100, 100, 100];
const RED = [255, 0, 0];
const BLUE = [0, 0, 255];
const STYLES = [
  { label: 1, name: 'card', color: '#ff0000' },
  { label: 2, name: 'Führerschein', color: '#0000ff' },
];

/** 200 rows, 300 columns: rows 60 to 139 of columns 100 to 219 are set. */
const MASK = { counts: `lbc0\`2h3${'0'.repeat(237)}Tb?`, area: 9600 };

interface Found {
  readonly box: readonly [number, number, number, number];
  readonly label?: number;
  readonly score?: number;
  readonly mask?: EncodedMask;
}

function detectionsOf(found: readonly Found[]): Detections {
  const masks = found.flatMap(({ mask }) => mask ?? []);
  return {
    boxesXyxy: Float32Array.from(found.flatMap(({ box }) => box)),
    labels: Int32Array.from(found, ({ label }) => label ?? 1),
    scores: Float32Array.from(found, ({ score }) => score ?? 0.9),
    ...(masks.length > 0 ? { masks } : {}),
  };
}

function grey(height: number, width: number): RgbImage {
  return { height, width, pixels: new Uint8Array(height * width * 3).fill(100) };
}

/** Draws, and gives back a reader of single pixels. */
function draw(image: RgbImage, found: readonly Found[], minScore?: number) {
  const canvas = drawAnnotations(image, detectionsOf(found), STYLES, minScore);
  expect([canvas.height, canvas.width]).toEqual([image.height, image.width]);
  const { data } = canvas.getContext('2d').getImageData(0, 0, image.width, image.height);
  const at = (x: number, y: number) => Array.from(data.subarray((y * image.width + x) * 4).subarray(0, 3));
  return { data, at };
}

const differing = (data: Uint8ClampedArray) =>
  data.filter((value, index) => index % 4 !== 3 && value !== 100).length;

/** How many pixels of a drawing, with one detection of a class, are pure black (0) or pure white (255). */
function countPixels(label: number, value: 0 | 255): number {
  const { data } = draw(grey(200, 300), [{ box: [100, 60, 220, 140], label }]);
  const pixels = Array.from({ length: data.length / 4 }, (_, index) =>
    data.subarray(index * 4, index * 4 + 3),
  );
  return pixels.filter((pixel) => pixel.every((channel) => channel === value)).length;
}

describe('drawAnnotations', () => {
  it('leaves an image without detections as it is', () => {
    const pixels = Uint8Array.from({ length: 50 * 40 * 3 }, (_, index) => (index * 7919) % 256);
    const { data } = draw({ height: 40, width: 50, pixels }, []);
    expect(data.filter((_, index) => index % 4 !== 3)).toEqual(Uint8ClampedArray.from(pixels));
    expect(data.filter((value, index) => index % 4 === 3 && value !== 255)).toHaveLength(0);
  });

  it('blends the mask at 76/255 and touches nothing outside', () => {
    const { at, data } = draw(grey(200, 300), [{ box: [100, 60, 220, 140], mask: MASK }]);
    // 100 + (255 - 100) * 76/255 and 100 - 100 * 76/255.
    expect(at(160, 100)).toEqual([146, 70, 70]);
    expect(at(103, 63)).toEqual([146, 70, 70]);
    const plain = draw(grey(200, 300), [{ box: [100, 60, 220, 140] }]);
    expect(at(50, 100)).toEqual(GREY);
    const touched = Array.from({ length: 200 * 300 }, (_, pixel) => pixel)
      .filter((pixel) => [0, 1, 2].some((c) => data[pixel * 4 + c] !== plain.data[pixel * 4 + c]))
      .map((pixel) => ({ x: pixel % 300, y: Math.floor(pixel / 300) }));
    // All of the mask but for its outermost pixels, which the outline covers.
    expect(touched.every(({ x, y }) => x > 100 && x < 219 && y > 60 && y < 139)).toBe(true);
    expect(touched).toHaveLength(118 * 78);
  });

  it('draws the rim where no outline covers it', () => {
    const { at } = draw(grey(200, 300), [{ box: [90, 50, 230, 150], mask: MASK }]);
    // 100 + (155 * 76)/255 = 146, then 146 + (109 * 200)/255; and 100 -> 70 -> 15.
    expect(at(100, 100)).toEqual([231, 15, 15]);
    expect(at(219, 100)).toEqual([231, 15, 15]);
    expect(at(160, 139)).toEqual([231, 15, 15]);
    expect(at(101, 100)).toEqual([146, 70, 70]);
  });

  it('draws outlines two pixels wide astride the edges of the box', () => {
    const { at } = draw(grey(200, 300), [{ box: [100.2, 60.4, 219.6, 139.7] }]);
    for (const x of [99, 100, 219, 220]) expect(at(x, 100)).toEqual(RED);
    for (const x of [98, 101, 218, 221]) expect(at(x, 100)).toEqual(GREY);
    for (const y of [139, 140]) expect(at(180, y)).toEqual(RED);
    for (const y of [138, 141]) expect(at(180, y)).toEqual(GREY);
  });

  it('keeps the outline of a box at or beyond the border inside the image', () => {
    const { at } = draw(grey(200, 300), [{ box: [-20, -5, 320, 200.4] }]);
    for (const [x, y] of [
      [0, 100],
      [1, 100],
      [298, 100],
      [299, 100],
      [150, 0],
      [150, 199],
    ] as const)
      expect(at(x, y)).toEqual(RED);
    expect(at(150, 100)).toEqual(GREY);
  });

  it('scales lines with the diagonal', () => {
    const { at } = draw(grey(1200, 1600), [{ box: [400, 400, 800, 800] }]);
    const red = [...Array(40).keys()].filter((dx) => at(380 + dx, 600).join() === RED.join());
    expect(red).toHaveLength(5);
  });

  it('writes black on light colours and white on dark ones', () => {
    expect(countPixels(1, 0)).toBeGreaterThan(10);
    expect(countPixels(1, 255)).toBe(0);
    expect(countPixels(2, 255)).toBeGreaterThan(10);
    expect(countPixels(2, 0)).toBe(0);
  });

  it('draws the better detection over the worse', () => {
    const both = draw(grey(200, 300), [
      { box: [100, 60, 220, 140], label: 2, score: 0.9 },
      { box: [100, 60, 220, 140], label: 1, score: 0.6 },
    ]);
    expect(both.at(100, 120)).toEqual(BLUE);
  });

  it('leaves out what is below the score, and draws what is at it', () => {
    const found = [{ box: [100, 60, 220, 140], score: 0.5 }] as const;
    expect(differing(draw(grey(200, 300), found, 0.501).data)).toBe(0);
    expect(differing(draw(grey(200, 300), found, 0.5).data)).toBeGreaterThan(0);
  });

  it('gives a label that the model does not name a colour and a name', () => {
    const { at } = draw(grey(200, 300), [{ box: [100, 60, 220, 140], label: 7 }]);
    expect(at(100, 100)).toEqual([0xa5, 0x5f, 0xff]);
  });

  it.each([
    ['1 x 1', 1, 1],
    ['1 x 300', 1, 300],
    ['300 x 1', 300, 1],
    ['20 x 20, too low for a label', 20, 20],
    ['100 x 8, too narrow for a label', 100, 8],
  ])('draws the outline alone on an image of %s', (_, height, width) => {
    const { at } = draw(grey(height, width), [{ box: [0, 0, width, height] }]);
    expect(at(0, 0)).toEqual(RED);
    expect(at(width - 1, height - 1)).toEqual(RED);
  });

  it('draws a 1 x 1 mask', () => {
    const { at } = draw(grey(1, 1), [{ box: [0, 0, 1, 1], mask: { counts: '01', area: 1 } }]);
    expect(at(0, 0)).toEqual(RED);
  });

  it('draws 100 detections', () => {
    const found = Array.from({ length: 100 }, (_, index) => {
      const [x, y] = [(index % 10) * 60, Math.floor(index / 10) * 45];
      return { box: [x, y, x + 70, y + 60] as const, label: (index % 2) + 1, score: 1 - index / 100 };
    });
    const { at } = draw(grey(480, 640), found);
    expect(at(0, 30)).toEqual(RED);
    expect(at(60, 59)).toEqual(BLUE);
  });
});

describe('annotateImage', () => {
  const found = detectionsOf([{ box: [100, 60, 220, 140], mask: MASK, label: 2 }]);

  it('gives a JPEG file of the drawing', async () => {
    const jpeg = annotateImage(grey(200, 300), found, STYLES);
    const decoded = await loadImage(Buffer.from(jpeg));
    expect([decoded.height, decoded.width]).toEqual([200, 300]);
    const context = createCanvas(300, 200).getContext('2d');
    context.drawImage(decoded, 0, 0);
    const [red, green, blue] = context.getImageData(160, 100, 1, 1).data;
    // 100 -> 70, 70, 146 before JPEG.
    expect(Math.abs(red! - 70)).toBeLessThanOrEqual(3);
    expect(Math.abs(green! - 70)).toBeLessThanOrEqual(3);
    expect(Math.abs(blue! - 146)).toBeLessThanOrEqual(3);
  });

  it('gives the same bytes for the same input', () => {
    const first = annotateImage(grey(200, 300), found, STYLES, 0.5);
    const second = encodeJpeg(drawAnnotations(grey(200, 300), found, STYLES, 0.5));
    expect(Buffer.compare(first, second)).toBe(0);
  });

  it('asks no installed font for what the bundled one does not have', () => {
    const [name, replaced] = ['日本語', '\uFFFD\uFFFD\uFFFD'].map((name) =>
      annotateImage(grey(200, 300), found, [{ label: 2, name, color: '#0000ff' }]),
    );
    expect(name).toEqual(replaced);
  });

  it('does not change its input', () => {
    const image = grey(200, 300);
    annotateImage(image, found, STYLES);
    expect(image).toEqual(grey(200, 300));
  });
});
