import { describe, expect, it } from 'vitest';
import { assertHasImages } from '../../../src/plan/list-images.ts';
import { openSource } from '../../../src/source/open-source.ts';
import type { Source } from '../../../src/source/source.ts';
import { bucketsOf } from '../source/buckets.ts';

const sourceOf = (...names: string[]): Promise<Source> =>
  openSource('s3://photos/', { openStorage: bucketsOf(names.map((name) => [`photos/${name}`, name])) });

describe('assertHasImages', () => {
  it('passes where there is one, however deep', async () => {
    await expect(assertHasImages(await sourceOf('a.txt', 'b/c/d.png'))).resolves.toBeUndefined();
  });

  it.each([[[]], [['a.txt', '.thumbs/a.jpg', 'deep/.cache/a.jpg', '.hidden.jpg']]])(
    'refuses %j and says what it looked for',
    async (keys) => {
      await expect(assertHasImages(await sourceOf(...keys))).rejects.toMatchObject({
        code: 'SOURCE_EMPTY',
        message: expect.stringMatching(/^s3:\/\/photos\/ holds no image: .*\.jpg .*\.avif/),
      });
    },
  );
});
