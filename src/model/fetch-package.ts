import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Lifetime } from '../runtime/lifetime.ts';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';
import type { ModelManifest } from './manifest.ts';
import { loadModelPackage, MANIFEST_FILE, type ModelPackage, parseManifest } from './package.ts';

const MAX_MANIFEST_BYTES = 1024 * 1024;

const isRemote = (place: string): boolean => /^s3:\/\//i.test(place);

/**
 * The manifest of a package in a folder or a storage, without a look at the ONNX file.
 *
 * @throws MillraceError MODEL_NOT_FOUND, MODEL_INVALID, and storage's errors.
 */
export async function readManifest(place: string): Promise<ModelManifest> {
  if (!isRemote(place)) return (await loadModelPackage(place)).manifest;
  const bytes = await manifestBytes(await openStorage(asPrefix(place)));
  return parseManifest(Buffer.from(bytes).toString(), `${asPrefix(place)}${MANIFEST_FILE}`);
}

/**
 * A package as a folder of this machine: a local one as it is, one in a bucket fetched to a temporary folder that goes
 * with `lifetime`. The folder holds `model.json` and the ONNX file alone, so that no other file can be reached from it.
 *
 * @throws MillraceError as `loadModelPackage`, and storage's errors.
 */
export async function fetchModelPackage(place: string, lifetime: Lifetime): Promise<ModelPackage> {
  if (!isRemote(place)) return loadModelPackage(place);
  const storage = await openStorage(asPrefix(place));
  const bytes = await manifestBytes(storage);
  const manifest = parseManifest(Buffer.from(bytes).toString(), `${storage.uri}${MANIFEST_FILE}`);
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-model-'));
  lifetime.onEnd(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, MANIFEST_FILE), bytes);
  await pipeline(await storage.stream(manifest.file), createWriteStream(path.join(folder, manifest.file)));
  return loadModelPackage(folder);
}

const asPrefix = (place: string): string => (place.endsWith('/') ? place : `${place}/`);

async function manifestBytes(storage: Storage): Promise<Uint8Array> {
  try {
    return await storage.get(MANIFEST_FILE, { maxBytes: MAX_MANIFEST_BYTES });
  } catch (error) {
    if (!isMillraceError(error, 'OBJECT_NOT_FOUND')) throw error;
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `${storage.uri} has no ${MANIFEST_FILE}: a model package is a prefix with model.json and an .onnx file`,
      { cause: error },
    );
  }
}
