import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { MillraceError, systemCode, toError } from '../runtime/errors.ts';
import { modelManifest, type ModelManifest } from './manifest.ts';

export const MANIFEST_FILE = 'model.json';
/** Some editors begin a file with it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/** A checked model package: the manifest is valid and the ONNX file is the one that it names. */
export interface ModelPackage {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly modelPath: string;
}

/**
 * Reads `model.json` and checks the ONNX file's SHA-256.
 *
 * @throws MillraceError MODEL_NOT_FOUND, MODEL_INVALID (names every wrong path in the manifest), MODEL_CHECKSUM.
 */
export async function loadModelPackage(folder: string): Promise<ModelPackage> {
  const manifest = parseManifest(await readManifest(folder), path.join(folder, MANIFEST_FILE));
  const modelPath = path.join(folder, manifest.file);
  const found = await sha256OfFile(modelPath);
  if (found !== manifest.sha256) {
    throw new MillraceError(
      'MODEL_CHECKSUM',
      `${modelPath} has SHA-256 ${found}, but model.json says ${manifest.sha256}. ` +
        `Export the package again, or put the right file there.`,
    );
  }
  return { folder, manifest, modelPath };
}

/** @throws MillraceError MODEL_INVALID, one line for each wrong path. */
export function parseManifest(json: string, file: string): ModelManifest {
  let value: unknown;
  try {
    value = JSON.parse(json.replace(BYTE_ORDER_MARK, ''));
  } catch (error) {
    throw new MillraceError('MODEL_INVALID', `${file} is not JSON: ${toError(error).message}`, {
      cause: error,
    });
  }
  const parsed = modelManifest.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MillraceError(
    'MODEL_INVALID',
    `${file} is not a valid model manifest:\n${parsed.error.issues.map(describeIssue).join('\n')}`,
  );
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const where = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the manifest';
  return `  ${where}: ${issue.message}`;
}

async function readManifest(folder: string): Promise<string> {
  try {
    return await readFile(path.join(folder, MANIFEST_FILE), 'utf8');
  } catch (error) {
    const folderExists = await stat(folder).catch(() => undefined);
    const problem = !folderExists
      ? `there is no model package at ${folder}`
      : systemCode(error) === 'ENOENT'
        ? `${folder} has no model.json: a model package is a folder with model.json and an .onnx file`
        : `cannot read ${path.join(folder, MANIFEST_FILE)}: ${toError(error).message}`;
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `${problem}. Export one with millrace-export, or look at an ONNX file with "millrace inspect".`,
      { cause: error },
    );
  }
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  } catch (error) {
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `cannot read the model's ONNX file ${file}: ${toError(error).message}`,
      {
        cause: error,
      },
    );
  }
  return hash.digest('hex');
}
