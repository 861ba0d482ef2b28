import { MillraceError } from '../../runtime/errors.ts';
import type { ImageSize } from '../../vision/geometry.ts';
import type { ModelManifest } from '../manifest.ts';
import type { GraphSignature, TensorData, TensorInfo, Tensors } from '../session.ts';

/** The images of one `session.run`, resized and padded to one shape. B images, padded to H x W. */
export interface NetworkBatch {
  /** [B, H, W, 3] or [B, 3, H, W], as the manifest's `input.layout` says. */
  readonly pixels: Uint8Array | Float32Array;
  readonly batchSize: number;
  readonly padded: ImageSize;
  /** [B] sizes of the resized images without the padding. */
  readonly imageSizes: readonly ImageSize[];
}

/** One image's part of the outputs, N detections, still in the frame that the manifest names. */
export interface RawDetections {
  /** [N, 4] x1 y1 x2 y2. */
  readonly boxesXyxy: Float32Array;
  readonly labels: Int32Array;
  readonly scores: Float32Array;
  /** [N, height, width], as probabilities or 0 and 1. */
  readonly masks?: { readonly values: Float32Array; readonly height: number; readonly width: number };
}

/** How the graphs of one origin are fed and read. Pure: tensors in, tensors out. */
export interface Contract {
  /** @throws MillraceError CONTRACT_MISMATCH, with what was expected and what was found. */
  check(graph: GraphSignature, manifest: ModelManifest): void;
  feeds(batch: NetworkBatch, graph: GraphSignature): Tensors;
  /** One entry an image, detections in the graph's order; those under `scoreThreshold` are dropped early. */
  read(outputs: Tensors, batchSize: number, scoreThreshold: number): RawDetections[];
}

/** What a contract expects of one input or output. */
export interface ExpectedTensor {
  readonly name: string;
  readonly dtypes: readonly string[];
  /** Numbers must be equal where the graph declares a number; names stand for anything. */
  readonly shape: readonly (number | string)[];
}

export function fits(expected: ExpectedTensor, found: TensorInfo): boolean {
  if (!expected.dtypes.includes(found.dtype) || expected.shape.length !== found.shape.length) return false;
  return expected.shape.every((dimension, axis) => {
    const declared = found.shape[axis];
    return typeof dimension !== 'number' || typeof declared !== 'number' || dimension === declared;
  });
}

export function contractMismatch(
  contract: string,
  expected: { inputs: readonly ExpectedTensor[]; outputs: readonly ExpectedTensor[] },
  graph: GraphSignature,
): MillraceError {
  const wanted = ({ name, dtypes, shape }: ExpectedTensor) => describe(name, dtypes.join(' or '), shape);
  const found = ({ name, dtype, shape }: TensorInfo) => describe(name, dtype, shape);
  return new MillraceError(
    'CONTRACT_MISMATCH',
    [
      `the graph does not fit the contract "${contract}" of its model.json.`,
      `  expected inputs:  ${expected.inputs.map(wanted).join(', ')}`,
      `  found inputs:     ${graph.inputs.map(found).join(', ')}`,
      `  expected outputs: ${expected.outputs.map(wanted).join(', ')}`,
      `  found outputs:    ${graph.outputs.map(found).join(', ')}`,
      `"millrace inspect <model.onnx>" says which contract fits.`,
    ].join('\n'),
  );
}

export function describe(name: string, dtype: string, shape: readonly (number | string)[]): string {
  return `${name} ${dtype}[${shape.join(',')}]`;
}

export function floatOutput(outputs: Tensors, name: string): Float32Array {
  const tensor = outputTensor(outputs, name);
  if (tensor.dtype !== 'float32') throw unreadable(name, tensor.dtype, 'float32');
  return tensor.data;
}

/** An integer output as Int32: labels and counts are small. */
export function integerOutput(outputs: Tensors, name: string): Int32Array {
  const tensor = outputTensor(outputs, name);
  if (tensor.dtype === 'int32') return tensor.data;
  if (tensor.dtype === 'int64') return Int32Array.from(tensor.data, Number);
  throw unreadable(name, tensor.dtype, 'int64 or int32');
}

export function outputTensor(outputs: Tensors, name: string): TensorData {
  const tensor = outputs[name];
  if (!tensor) throw new MillraceError('CONTRACT_MISMATCH', `the graph returned no output "${name}"`);
  return tensor;
}

function unreadable(name: string, found: string, expected: string): MillraceError {
  return new MillraceError('CONTRACT_MISMATCH', `output "${name}" is ${found}, expected ${expected}`);
}

/** How many leading rows to keep, `scores` being sorted, best first; compared as float32, which scores are. */
export function countAtLeast(scores: Float32Array, threshold: number): number {
  const limit = Math.fround(threshold);
  const below = scores.findIndex((score) => score < limit);
  return below < 0 ? scores.length : below;
}
