import { isMillraceError, MillraceError, toError } from '../runtime/errors.ts';
import { contractByName } from './contracts/index.ts';
import type { Contract } from './contracts/contract.ts';
import { openOnnxRuntimeSession } from './onnxruntime-session.ts';
import type { ModelPackage } from './package.ts';
import { probeModel } from './probe.ts';
import { assertProviderAvailable } from './providers.ts';
import { RecoveringSession } from './recovering-session.ts';
import type { OpenSession, Session, SessionOptions } from './session.ts';
import { assertSupported } from './supported.ts';

/** A model ready to run: package, session and the contract that reads its outputs, probed. */
export interface Model {
  readonly package: ModelPackage;
  readonly contract: Contract;
  /** Opened anew by the next run where it was lost. */
  readonly session: Session;
  /** Opens the session anew, which gives back what its memory arenas hold, once the runs under way have ended. */
  recycle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the session, checks the graph against the contract, and probes it: blank batches of one and of the maximum
 * must pass.
 *
 * @throws MillraceError PROVIDER_NOT_AVAILABLE, MODEL_NOT_ONNX, MODEL_INVALID, MODEL_NOT_SUPPORTED, CONTRACT_MISMATCH.
 */
export async function openModel(
  modelPackage: ModelPackage,
  options: SessionOptions,
  openSession: OpenSession = openModelFile,
): Promise<Model> {
  const contract = contractByName(modelPackage.manifest.contract);
  naming(modelPackage, () => assertSupported(modelPackage.manifest));
  await assertProviderAvailable(options.provider);
  const open = (): Promise<Session> => openSession(modelPackage.modelPath, options);
  const session = new RecoveringSession(await open(), open);
  try {
    naming(modelPackage, () => contract.check(session.signature, modelPackage.manifest));
    await probeModel(modelPackage.manifest, contract, session);
  } catch (error) {
    await session.close();
    throw error;
  }
  return {
    package: modelPackage,
    contract,
    session,
    recycle: () => session.recycle(),
    close: () => session.close(),
  };
}

/** Runs a check, and lets its error say which package it is about. */
function naming({ folder }: ModelPackage, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    throw new MillraceError(error.code, `the model package ${folder}: ${error.message}`, { cause: error });
  }
}

/** @throws MillraceError MODEL_NOT_ONNX where the bytes are none, MODEL_INVALID where ONNX Runtime refuses the graph. */
export async function openModelFile(file: string, options: SessionOptions): Promise<Session> {
  try {
    return await openOnnxRuntimeSession(file, options);
  } catch (error) {
    const reason = toError(error).message;
    if (/protobuf parsing failed|invalid protobuf|ModelProto/i.test(reason)) {
      throw new MillraceError(
        'MODEL_NOT_ONNX',
        `${file} is not an ONNX model (${reason}). Export it again; a PyTorch checkpoint (.pth) is exported with millrace-export.`,
        { cause: error },
      );
    }
    throw new MillraceError('MODEL_INVALID', `${file} cannot be loaded: ${reason}`, { cause: error });
  }
}
