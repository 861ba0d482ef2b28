import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModelPackage } from '../../../src/model/package.ts';
import { MANIFEST_JSON } from './manifest-fixture.ts';

const ONNX = Buffer.from('not looked into here');
const SHA256 = createHash('sha256').update(ONNX).digest('hex');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millrace-package-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => path.join(folder, name);

/** Writes a package; `change` makes its manifest another. */
function write(change: object = {}): void {
  writeFileSync(at('model.json'), JSON.stringify({ ...MANIFEST_JSON, sha256: SHA256, ...change }));
  writeFileSync(at('model.onnx'), ONNX);
}

describe('loadModelPackage', () => {
  it('loads a package', async () => {
    write();
    expect(await loadModelPackage(folder)).toMatchObject({
      folder,
      modelPath: at('model.onnx'),
      manifest: { name: 'cards', sha256: SHA256, thresholds: { score: 0.05, label: 0.5 } },
    });
  });

  it('parses manifests that mean the same to the same', async () => {
    const parsed = async (change: object): Promise<string> => {
      write(change);
      return JSON.stringify((await loadModelPackage(folder)).manifest);
    };
    const plain = await parsed({});
    expect(await parsed({ thresholds: { label: 0.5, score: 0.05 } })).toBe(plain);
    expect(await parsed({ thresholds: { score: 0.06 } })).not.toBe(plain);
  });
});

describe('loadModelPackage refuses', () => {
  const refusal = (code: string, message: RegExp) =>
    expect(loadModelPackage(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });

  it('a folder that is not there', async () => {
    await expect(loadModelPackage(at('none'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining(`there is no model package at ${at('none')}. Export one`),
    });
  });

  it('a folder without model.json', async () => {
    await refusal('MODEL_NOT_FOUND', /has no model\.json: a model package is a folder with model\.json/);
  });

  it('a file in place of the folder', async () => {
    write();
    await expect(loadModelPackage(at('model.onnx'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('cannot read'),
    });
  });

  it('a model.json that is not JSON', async () => {
    writeFileSync(at('model.json'), '{"schema": 1,');
    await refusal('MODEL_INVALID', /model\.json is not JSON: /);
  });

  it('a manifest with mistakes, and names each', async () => {
    write({ schema: 2, batch: { max: 0 }, colour: 'red' });
    await refusal(
      'MODEL_INVALID',
      /is not a valid model manifest:\n(?=.*schema: )(?=.*batch\.max: ).*colour/s,
    );
  });

  it('a manifest whose ONNX file is not there', async () => {
    write({ file: 'other.onnx' });
    await refusal('MODEL_NOT_FOUND', /cannot read the model's ONNX file .*other\.onnx: ENOENT/);
  });

  it('a folder in place of the ONNX file', async () => {
    write({ file: 'folder.onnx' });
    mkdirSync(at('folder.onnx'));
    await refusal('MODEL_NOT_FOUND', /folder\.onnx: EISDIR/);
  });

  it('an ONNX file that is another one, and says both digests', async () => {
    write({ sha256: 'a'.repeat(64) });
    await refusal(
      'MODEL_CHECKSUM',
      new RegExp(`model\\.onnx has SHA-256 ${SHA256}, but model\\.json says a{64}\\.`),
    );
  });
});
