import { MillraceError } from '../../runtime/errors.ts';
import type { ModelManifest } from '../manifest.ts';
import type { GraphSignature, Tensors } from '../session.ts';
import {
  contractMismatch,
  countAtLeast,
  type Contract,
  type ExpectedTensor,
  fits,
  floatOutput,
  integerOutput,
  type NetworkBatch,
  outputTensor,
  type RawDetections,
} from './contract.ts';

/**
 * The exporter's own contract: `images` [B, H, W, 3] on 0..255 and `image_sizes` [B, 2] in, rows padded to the largest
 * count of the batch out. Any B, H and W; normalisation and masking of the padding happen in the graph.
 *
 * Shapes: B images, N rows an image, M the mask grid's side (28).
 */
export const millrace: Contract = {
  check(graph, manifest) {
    const expected = expectedSignature(manifest);
    const inputs = expected.inputs.every((tensor) =>
      graph.inputs.some((found) => found.name === tensor.name && fits(tensor, found)),
    );
    const outputs = expected.outputs.every((tensor) =>
      graph.outputs.some((found) => found.name === tensor.name && fits(tensor, found)),
    );
    if (!inputs || !outputs || graph.inputs.length !== expected.inputs.length)
      throw contractMismatch('millrace', expected, graph);
    checkMaskFrame(graph, manifest);
  },

  feeds({ pixels, batchSize, padded, imageSizes }: NetworkBatch): Tensors {
    const dims = [batchSize, padded.height, padded.width, 3];
    const sizes = BigInt64Array.from(
      imageSizes.flatMap(({ height, width }) => [BigInt(height), BigInt(width)]),
    );
    return {
      images:
        pixels instanceof Uint8Array
          ? { dtype: 'uint8', dims, data: pixels }
          : { dtype: 'float32', dims, data: pixels },
      image_sizes: { dtype: 'int64', dims: [batchSize, 2], data: sizes },
    };
  },

  read(outputs, batchSize, scoreThreshold) {
    const counts = integerOutput(outputs, 'num_detections');
    const boxes = floatOutput(outputs, 'boxes');
    const labels = integerOutput(outputs, 'labels');
    const scores = floatOutput(outputs, 'scores');
    if (counts.length !== batchSize) {
      const message = `the graph answered for ${counts.length} images of a batch of ${batchSize}`;
      throw new MillraceError('CONTRACT_MISMATCH', message);
    }
    const rows = scores.length / batchSize;
    return Array.from({ length: batchSize }, (_, image): RawDetections => {
      const start = image * rows;
      const kept = countAtLeast(scores.subarray(start, start + counts[image]!), scoreThreshold);
      const detections = {
        boxesXyxy: boxes.slice(start * 4, (start + kept) * 4),
        labels: labels.slice(start, start + kept),
        scores: scores.slice(start, start + kept),
      };
      return 'masks' in outputs ? { ...detections, masks: maskGrids(outputs, start, kept) } : detections;
    });
  },
};

/** Grids of one size cannot be as large as an input of any size. */
function checkMaskFrame(graph: GraphSignature, { masks, input }: ModelManifest): void {
  const [, , height, width] = graph.outputs.find(({ name }) => name === 'masks')?.shape ?? [];
  const isFixed = typeof height === 'number' && typeof width === 'number';
  if (!masks || masks.frame === 'box' || !isFixed || input.shape !== 'dynamic') return;
  throw new MillraceError(
    'CONTRACT_MISMATCH',
    `"masks.frame" in model.json is "${masks.frame}", but the graph's masks are always ${height}x${width}: that is "box"`,
  );
}

function maskGrids(outputs: Tensors, start: number, kept: number): NonNullable<RawDetections['masks']> {
  const [, , height = 0, width = 0] = outputTensor(outputs, 'masks').dims;
  const area = height * width;
  const values = floatOutput(outputs, 'masks').slice(start * area, (start + kept) * area);
  return { values, height, width };
}

function expectedSignature(manifest: ModelManifest): { inputs: ExpectedTensor[]; outputs: ExpectedTensor[] } {
  const integers = ['int64', 'int32'];
  const outputs: ExpectedTensor[] = [
    { name: 'num_detections', dtypes: integers, shape: ['B'] },
    { name: 'boxes', dtypes: ['float32'], shape: ['B', 'N', 4] },
    { name: 'labels', dtypes: integers, shape: ['B', 'N'] },
    { name: 'scores', dtypes: ['float32'], shape: ['B', 'N'] },
  ];
  if (manifest.task === 'instance-segmentation')
    outputs.push({ name: 'masks', dtypes: ['float32'], shape: ['B', 'N', 'M', 'M'] });
  return {
    inputs: [
      { name: 'images', dtypes: [manifest.input.dtype], shape: ['B', 'H', 'W', 3] },
      { name: 'image_sizes', dtypes: ['int64'], shape: ['B', 2] },
    ],
    outputs,
  };
}
