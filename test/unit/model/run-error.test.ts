import { describe, expect, it } from 'vitest';
import { isSessionGone, runError } from '../../../src/model/run-error.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';

describe('runError', () => {
  it.each([
    [
      'INFERENCE_OUT_OF_MEMORY',
      'Non-zero status code returned while running Conv node. Failed to allocate memory for requested buffer of size 1073741824',
    ],
    [
      'INFERENCE_OUT_OF_MEMORY',
      'CUDA failure 2: out of memory ; GPU=0 ; hostname=gpu-1 ; expr=cudaMalloc((void**)&p, size);',
    ],
    ['INFERENCE_OUT_OF_MEMORY', 'CUDA out of memory'],
    ['INFERENCE_OUT_OF_MEMORY', 'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0'],
    ['INFERENCE_OUT_OF_MEMORY', 'bad allocation'],
    ['INFERENCE_OUT_OF_MEMORY', 'std::bad_alloc'],
    ['INFERENCE_OUT_OF_MEMORY', 'Available memory of 1024 is smaller than requested bytes of 4096'],
    ['PROCESS_UNUSABLE', 'CUDA failure 700: an illegal memory access was encountered ; GPU=0'],
    ['PROCESS_UNUSABLE', 'CUDA error: device-side assert triggered'],
    ['PROCESS_UNUSABLE', 'CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED'],
    [
      'INFERENCE_FAILED',
      'Non-zero status code returned while running Reshape node. The input tensor cannot be reshaped',
    ],
  ])('%s: %s', (code, message) => {
    const cause = new Error(message);
    expect(runError(cause)).toMatchObject({
      code,
      message: `ONNX Runtime: ${message}`,
      cause,
      retry: 'backoff',
    });
  });
});

describe('isSessionGone', () => {
  it.each([
    ['SESSION_LOST', true],
    ['INFERENCE_TIMEOUT', true],
    ['PROCESS_UNUSABLE', true],
    ['INFERENCE_OUT_OF_MEMORY', false],
    ['INFERENCE_FAILED', false],
  ] as const)('%s: %s', (code, gone) => {
    expect(isSessionGone(new MillraceError(code, ''))).toBe(gone);
  });
});
