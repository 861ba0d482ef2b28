import { type ErrorCode, isMillraceError, MillraceError } from '../runtime/errors.ts';

/**
 * What the messages of ONNX Runtime say of the failure, most telling first: of CUDA's errors only the lack of memory
 * leaves the process usable. Sources: onnxruntime, `core/framework/bfc_arena.cc`, `core/providers/cuda/cuda_call.cc`;
 * CUDA runtime API, `cudaError_t`: all but few errors are sticky.
 */
const SIGNS: readonly (readonly [ErrorCode, RegExp])[] = [
  [
    'INFERENCE_OUT_OF_MEMORY',
    /failed to allocate memory|out of memory|_STATUS_ALLOC_FAILED|bad[ _]alloc|array buffer allocation failed|smaller than requested bytes/i,
  ],
  [
    'PROCESS_UNUSABLE',
    /cuda (?:error|failure)|illegal memory access|illegal address|device-side assert|(?:CUBLAS|CUDNN)_STATUS_(?:EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED|MAPPING_ERROR)/i,
  ],
];

/** An error of `session.run`, by what can be done about it. */
export function runError(cause: Error): MillraceError {
  const code = SIGNS.find(([, sign]) => sign.test(cause.message))?.[0] ?? 'INFERENCE_FAILED';
  return new MillraceError(code, `ONNX Runtime: ${cause.message}`, { cause });
}

/** Whether an error is the session's, or the process's: nothing that was under way in it says anything about an image. */
export function isSessionGone(error: unknown): error is MillraceError {
  return isMillraceError(error) && GONE.has(error.code);
}

const GONE = new Set<ErrorCode>(['SESSION_LOST', 'INFERENCE_TIMEOUT', 'PROCESS_UNUSABLE']);
