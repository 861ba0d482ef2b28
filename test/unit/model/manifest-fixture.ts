import type { ModelManifest } from '../../../src/model/manifest.ts';
import { parseManifest } from '../../../src/model/package.ts';

/** A `model.json` with nothing that has a default. */
export const MANIFEST_JSON = {
  schema: 1,
  name: 'cards',
  task: 'instance-segmentation',
  file: 'model.onnx',
  sha256: 'a'.repeat(64),
  contract: 'millrace',
  input: { layout: 'NHWC', dtype: 'uint8', resize: { policy: 'none' } },
  batch: { max: 4 },
  masks: { frame: 'box' },
  classes: [{ label: 1, id: 7, name: 'card' }],
};

/** The manifest with these members in place of its own. */
export const manifestOf = (change: object = {}): ModelManifest =>
  parseManifest(JSON.stringify({ ...MANIFEST_JSON, ...change }), 'model.json');

/** A manifest of torchvision's own export. */
export const torchvisionManifest = (change: object = {}): ModelManifest =>
  manifestOf({
    contract: 'torchvision',
    input: { layout: 'NCHW', dtype: 'float32', resize: { policy: 'none' }, scale: 1 / 255 },
    batch: { size: 1, max: 1 },
    masks: { frame: 'image' },
    ...change,
  });
