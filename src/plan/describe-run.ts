import process from 'node:process';
import type { Config } from '../../config/schema.ts';
import type { ModelManifest } from '../model/manifest.ts';
import { MILLRACE_VERSION, ONNXRUNTIME_VERSION } from '../runtime/versions.ts';
import { sha256Hex } from '../runtime/sha256.ts';
import type { Storage } from '../storage/storage.ts';
import type { RunDocument } from '../run/documents.ts';

/** The `run.json` of what is asked for: the same request gives the same document. */
export function describeRun(
  { source, output }: { readonly source: { readonly uri: string }; readonly output: Storage },
  manifest: ModelManifest,
  config: Config,
): RunDocument {
  const options = {
    scoreThreshold: config.scoreThreshold ?? manifest.thresholds.score,
    labelThreshold: config.labelThreshold ?? manifest.thresholds.label,
    shardSize: config.shardSize,
    annotate: config.annotate,
    maxImageBytes: config.maxImageBytes,
    maxImagePixels: config.maxImagePixels,
  };
  const identity = JSON.stringify([source.uri, output.uri, manifest, options]);
  return {
    schema: 1,
    runId: sha256Hex(identity).slice(0, 16),
    source: source.uri,
    model: manifest,
    options,
    versions: { millrace: MILLRACE_VERSION, onnxruntime: ONNXRUNTIME_VERSION, node: process.versions.node },
    config: { ...config },
  };
}
