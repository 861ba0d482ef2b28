import { describe, expect, it } from 'vitest';
import {
  contractMismatch,
  countAtLeast,
  describe as describeTensor,
  type ExpectedTensor,
  fits,
  floatOutput,
  integerOutput,
  outputTensor,
} from '../../../../src/model/contracts/contract.ts';
import type { TensorInfo } from '../../../../src/model/session.ts';
import { float32, info, int64 } from '../tensors.ts';

const BOXES: ExpectedTensor = { name: 'boxes', dtypes: ['float32', 'float16'], shape: ['B', 'N', 4] };

describe('fits', () => {
  it.each<[string, TensorInfo]>([
    ['the same', info('boxes', 'float32', 'B', 'N', 4)],
    ['another name, which is not asked', info('1234', 'float32', 'B', 'N', 4)],
    ['the other type', info('boxes', 'float16', 'B', 'N', 4)],
    ['numbers where anything goes', info('boxes', 'float32', 1, 100, 4)],
    ['a dynamic dimension where a number is expected', info('boxes', 'float32', 'B', 'N', 'four')],
  ])('takes %s', (_, found) => expect(fits(BOXES, found)).toBe(true));

  it.each<[string, TensorInfo]>([
    ['another type', info('boxes', 'int64', 'B', 'N', 4)],
    ['another number', info('boxes', 'float32', 'B', 'N', 5)],
    ['fewer dimensions', info('boxes', 'float32', 'N', 4)],
    ['more dimensions', info('boxes', 'float32', 'B', 'N', 4, 1)],
  ])('refuses %s', (_, found) => expect(fits(BOXES, found)).toBe(false));
});

describe('contractMismatch', () => {
  it('says what was expected and what was found', () => {
    const images: ExpectedTensor = { name: 'images', dtypes: ['uint8'], shape: ['B', 'H', 'W', 3] };
    const graph = {
      inputs: [info('input', 'float32', 1, 3, 'H', 'W')],
      outputs: [info('dets', 'float32', 'N', 5), info('labels', 'int64', 'N')],
    };
    expect(contractMismatch('millrace', { inputs: [images], outputs: [BOXES] }, graph)).toMatchObject({
      code: 'CONTRACT_MISMATCH',
      message: [
        'the graph does not fit the contract "millrace" of its model.json.',
        '  expected inputs:  images uint8[B,H,W,3]',
        '  found inputs:     input float32[1,3,H,W]',
        '  expected outputs: boxes float32 or float16[B,N,4]',
        '  found outputs:    dets float32[N,5], labels int64[N]',
        '"millrace inspect <model.onnx>" says which contract fits.',
      ].join('\n'),
    });
  });

  it('describes a scalar', () => expect(describeTensor('count', 'int64', [])).toBe('count int64[]'));
});

describe('outputs', () => {
  const outputs = {
    scores: float32([2], 0.5, 0.25),
    labels: int64([2], 3, 4),
    counts: { dtype: 'int32', dims: [1], data: Int32Array.of(7) },
  } as const;

  it('are read by name', () => {
    expect(outputTensor(outputs, 'labels')).toBe(outputs.labels);
    expect(floatOutput(outputs, 'scores')).toEqual(Float32Array.of(0.5, 0.25));
    expect(integerOutput(outputs, 'labels')).toEqual(Int32Array.of(3, 4));
    expect(integerOutput(outputs, 'counts')).toEqual(Int32Array.of(7));
  });

  it('that are missing or of another type are named', () => {
    const refusal = (message: string) => expect.objectContaining({ code: 'CONTRACT_MISMATCH', message });
    expect(() => outputTensor(outputs, 'masks')).toThrow(refusal('the graph returned no output "masks"'));
    expect(() => floatOutput(outputs, 'labels')).toThrow(
      refusal('output "labels" is int64, expected float32'),
    );
    expect(() => integerOutput(outputs, 'scores')).toThrow(
      refusal('output "scores" is float32, expected int64 or int32'),
    );
  });
});

describe('countAtLeast', () => {
  it.each([
    { scores: [0.9, 0.5, 0.1], threshold: 0.5, count: 2 },
    { scores: [0.9, 0.5, 0.1], threshold: 0, count: 3 },
    { scores: [0.9, 0.5, 0.1], threshold: 1, count: 0 },
    { scores: [1], threshold: 1, count: 1 },
    { scores: [], threshold: 0, count: 0 },
  ])('of $scores, $count reach $threshold', ({ scores, threshold, count }) => {
    expect(countAtLeast(Float32Array.from(scores), threshold)).toBe(count);
  });

  it('compares as float32: 0.7 becomes 0.69999998807907, and still reaches 0.7', () => {
    expect(Math.fround(0.7)).toBeLessThan(0.7);
    expect(countAtLeast(Float32Array.of(0.7, 0.6999), 0.7)).toBe(1);
  });
});
