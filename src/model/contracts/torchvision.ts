import type { ModelManifest } from '../manifest.ts';
import type { GraphSignature, TensorData, TensorInfo, Tensors } from '../session.ts';
import { MillraceError } from '../../runtime/errors.ts';
import {
  contractMismatch,
  countAtLeast,
  type Contract,
  type ExpectedTensor,
  fits,
  floatOutput,
  integerOutput,
  type NetworkBatch,
  type RawDetections,
} from './contract.ts';

/**
 * torchvision's own ONNX export of one image: [1, 3, H, W] float32 in; `boxes` [N, 4], `labels` [N], `scores` [N] and
 * `masks` [N, 1, H, W] (pasted by the graph) out, best score first. Outputs are found by name, else by rank and type:
 * an export without `output_names` calls them by numbers.
 */
export const torchvision: Contract = {
  check(graph, manifest) {
    const { layout, dtype } = manifest.input;
    if (layout !== 'NCHW' || dtype !== 'float32') {
      throw new MillraceError(
        'CONTRACT_MISMATCH',
        `the contract "torchvision" takes NCHW float32; "input" in model.json says ${layout} ${dtype}`,
      );
    }
    const expected = expectedSignature(manifest);
    const [input] = graph.inputs;
    const inputFits = graph.inputs.length === 1 && input && fits(expected.inputs[0]!, input);
    const outputsFit = expected.outputs.every((tensor) => findOutput(graph.outputs, tensor));
    if (!inputFits || !outputsFit) throw contractMismatch('torchvision', expected, graph);
  },

  feeds({ pixels, batchSize, padded }: NetworkBatch, graph: GraphSignature): Tensors {
    if (!(pixels instanceof Float32Array) || batchSize !== 1) {
      throw new MillraceError(
        'CONTRACT_MISMATCH',
        'the contract "torchvision" takes one float32 image at a time',
      );
    }
    const name = graph.inputs[0]?.name ?? 'input';
    return { [name]: { dtype: 'float32', dims: [1, 3, padded.height, padded.width], data: pixels } };
  },

  read(outputs, _batchSize, scoreThreshold) {
    const infos = Object.entries(outputs).map(([name, tensor]) => tensorInfo(name, tensor));
    const nameOf = (tensor: ExpectedTensor) => findOutput(infos, tensor)?.name ?? tensor.name;
    const scores = floatOutput(outputs, nameOf(SCORES));
    const kept = countAtLeast(scores, scoreThreshold);
    const detections: RawDetections = {
      boxesXyxy: floatOutput(outputs, nameOf(BOXES)).slice(0, kept * 4),
      labels: integerOutput(outputs, nameOf(LABELS)).slice(0, kept),
      scores: scores.slice(0, kept),
    };
    const masks = findOutput(infos, MASKS);
    if (!masks) return [detections];
    const [height, width] = [Number(masks.shape[2]), Number(masks.shape[3])];
    const values = floatOutput(outputs, masks.name).slice(0, kept * height * width);
    return [{ ...detections, masks: { values, height, width } }];
  },
};

const BOXES: ExpectedTensor = { name: 'boxes', dtypes: ['float32'], shape: ['N', 4] };
const LABELS: ExpectedTensor = { name: 'labels', dtypes: ['int64', 'int32'], shape: ['N'] };
const SCORES: ExpectedTensor = { name: 'scores', dtypes: ['float32'], shape: ['N'] };
const MASKS: ExpectedTensor = { name: 'masks', dtypes: ['float32'], shape: ['N', 1, 'H', 'W'] };

function expectedSignature(manifest: ModelManifest): { inputs: ExpectedTensor[]; outputs: ExpectedTensor[] } {
  const { shape } = manifest.input;
  const [height, width] = shape === 'dynamic' ? ['H', 'W'] : [shape.height, shape.width];
  return {
    inputs: [{ name: 'input', dtypes: ['float32'], shape: [1, 3, height, width] }],
    outputs: [BOXES, LABELS, SCORES, ...(manifest.task === 'instance-segmentation' ? [MASKS] : [])],
  };
}

function findOutput(found: readonly TensorInfo[], expected: ExpectedTensor): TensorInfo | undefined {
  return (
    found.find((tensor) => tensor.name === expected.name && fits(expected, tensor)) ??
    found.find((tensor) => fits(expected, tensor))
  );
}

function tensorInfo(name: string, { dtype, dims }: TensorData): TensorInfo {
  return { name, dtype, shape: dims };
}
