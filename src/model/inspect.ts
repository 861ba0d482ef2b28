import type { ContractName } from './manifest.ts';
import type { GraphSignature } from './session.ts';

export interface ContractGuess {
  readonly contract: ContractName;
  readonly why: string;
}

/** Which contract a graph's inputs and outputs fit, and by which sign; undefined where none does. */
export function guessContract(graph: GraphSignature): ContractGuess | undefined {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const [input] = graph.inputs;
  if (inputs.has('image_sizes') && outputs.has('num_detections'))
    return { contract: 'millrace', why: 'it takes "image_sizes" and returns "num_detections"' };
  if (outputs.has('detections_per_batch'))
    return { contract: 'torchvision-padded', why: 'it returns "detections_per_batch"' };
  if (outputs.has('dets')) return { contract: 'mmdeploy', why: 'it returns "dets"' };
  if (graph.inputs.length !== 1 || input?.shape.length !== 4) return undefined;
  const ranks = graph.outputs.map(({ shape }) => shape.length);
  if (graph.outputs.length === 1 && ranks[0] === 2)
    return { contract: 'classifier', why: 'its only output has the shape [batch, classes]' };
  const boxes = graph.outputs.find(({ shape }) => shape.length === 2 && shape[1] === 4);
  if (boxes && ranks.filter((rank) => rank === 1).length >= 2)
    return {
      contract: 'torchvision',
      why: `one image in, and "${boxes.name}" [N, 4] with two lists of N (labels, scores) out`,
    };
  return undefined;
}
