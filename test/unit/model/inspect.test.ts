import { describe, expect, it } from 'vitest';
import { guessContract } from '../../../src/model/inspect.ts';
import type { TensorInfo } from '../../../src/model/session.ts';
import { info } from './tensors.ts';

const IMAGE = info('input', 'float32', 'batch', 3, 'height', 'width');
const BOXES = info('boxes', 'float32', 'n', 4);
const LABELS = info('labels', 'int64', 'n');
const SCORES = info('scores', 'float32', 'n');

const guess = (inputs: TensorInfo[], outputs: TensorInfo[]) => guessContract({ inputs, outputs });

describe('guessContract', () => {
  it.each<[string, TensorInfo[], TensorInfo[], string]>([
    [
      'millrace',
      [info('images', 'uint8', 'b', 'h', 'w', 3), info('image_sizes', 'int64', 'b', 2)],
      [info('num_detections', 'int64', 'b'), info('boxes', 'float32', 'b', 'n', 4)],
      'it takes "image_sizes" and returns "num_detections"',
    ],
    [
      'torchvision-padded',
      [IMAGE],
      [info('detections_per_batch', 'int64', 'b', 1), info('boxes', 'float32', 'b', 'n', 4)],
      'it returns "detections_per_batch"',
    ],
    [
      'mmdeploy',
      [IMAGE],
      [info('dets', 'float32', 'b', 'n', 5), info('labels', 'int64', 'b', 'n')],
      'it returns "dets"',
    ],
    [
      'classifier',
      [IMAGE],
      [info('output', 'float32', 'b', 1000)],
      'its only output has the shape [batch, classes]',
    ],
    [
      'torchvision',
      [IMAGE],
      [BOXES, LABELS, SCORES],
      'one image in, and "boxes" [N, 4] with two lists of N (labels, scores) out',
    ],
    [
      'torchvision',
      [IMAGE],
      [
        info('3218', 'float32', 'n', 4),
        info('77', 'int64', 'n'),
        info('3216', 'float32', 'n'),
        info('9', 'float32', 'n', 1, 'h', 'w'),
      ],
      'one image in, and "3218" [N, 4] with two lists of N (labels, scores) out',
    ],
  ])('finds %s', (contract, inputs, outputs, why) => {
    expect(guess(inputs, outputs)).toEqual({ contract, why });
  });

  it.each<[string, TensorInfo[], TensorInfo[]]>([
    ['no tensors at all', [], []],
    ['two inputs', [IMAGE, info('scale', 'float32')], [BOXES, LABELS, SCORES]],
    ['an input that is no batch of images', [info('x', 'float32', 'b', 10)], [info('y', 'float32', 'b', 2)]],
    ['boxes without scores', [IMAGE], [BOXES, LABELS]],
    ['boxes of YOLO', [IMAGE], [info('output0', 'float32', 'b', 84, 8400)]],
  ])('finds none for %s', (_, inputs, outputs) => {
    expect(guess(inputs, outputs)).toBeUndefined();
  });
});
