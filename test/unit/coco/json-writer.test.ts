import { describe, expect, it } from 'vitest';
import type { CocoAnnotation, CocoImage } from '../../../src/coco/format.ts';
import { datasetWriter, jsonArrayWriter, resultsWriter } from '../../../src/coco/json-writer.ts';

function textSink(): { write: (text: string) => Promise<void>; text: () => string } {
  let text = '';
  return {
    async write(piece) {
      text += piece;
    },
    text: () => text,
  };
}

const image: CocoImage = { id: 1, width: 2, height: 3, file_name: 'a.png' };
const annotation: CocoAnnotation = {
  id: 1,
  image_id: 1,
  category_id: 1,
  bbox: [0, 0, 1, 1],
  area: 1,
  segmentation: [],
  iscrowd: 0,
  score: 1,
};

describe('jsonArrayWriter', () => {
  it('writes an item a line', async () => {
    const sink = textSink();
    const array = jsonArrayWriter<number>(sink.write);
    await array.item(1);
    await array.item(2);
    await array.end();
    expect(sink.text()).toBe('[\n1,\n2\n]');
  });
});

describe('resultsWriter', () => {
  it('writes [] of nothing', async () => {
    const sink = textSink();
    await resultsWriter(sink.write).end();
    expect(sink.text()).toBe('[]\n');
  });
});

describe('datasetWriter', () => {
  it('writes the sections in the order of the format', async () => {
    const sink = textSink();
    const dataset = await datasetWriter(sink.write, { description: 'd', contributor: 'c' });
    await dataset.image(image);
    await dataset.endImages();
    await dataset.annotation(annotation);
    await dataset.end([{ id: 1, name: 'card', supercategory: '' }]);
    expect(sink.text()).toBe(
      [
        '{"info":{"description":"d","contributor":"c"},',
        '"licenses":[],',
        '"images":[',
        '{"id":1,"width":2,"height":3,"file_name":"a.png"}',
        '],',
        '"annotations":[',
        JSON.stringify(annotation),
        '],',
        '"categories":[{"id":1,"name":"card","supercategory":""}]}',
        '',
      ].join('\n'),
    );
  });

  it('is whole without an image or an annotation', async () => {
    const sink = textSink();
    const dataset = await datasetWriter(sink.write, { description: 'd', contributor: 'c' });
    await dataset.endImages();
    await dataset.end([]);
    expect(JSON.parse(sink.text())).toMatchObject({ images: [], annotations: [], categories: [] });
  });
});
