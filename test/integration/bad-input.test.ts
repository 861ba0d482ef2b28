import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoImages, fixtureModel, millrace, temporaryFolder } from './helpers/cli.ts';

const TINY = fixtureModel('tiny-mask-rcnn');

let output: string;
beforeEach(() => {
  output = path.join(temporaryFolder(), 'out');
});

/** A copy of the tiny model package with another model.json. */
function changedPackage(change: (manifest: Record<string, unknown>) => void): string {
  const folder = path.join(temporaryFolder(), 'package');
  cpSync(TINY, folder, { recursive: true });
  const file = path.join(folder, 'model.json');
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof manifest !== 'object' || manifest === null) throw new TypeError('model.json is no object');
  change(manifest as Record<string, unknown>);
  writeFileSync(file, JSON.stringify(manifest));
  return folder;
}

async function refusal(source: string, model: string, ...flags: string[]): Promise<string> {
  const result = await millrace(['run', source, '--model', model, '--output', output, ...flags]);
  expect(result.exitCode, result.stderr).toBe(2);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(output)).toBe(false);
  return result.stderr;
}

describe('millrace run refuses, writes nothing and exits 2 for', () => {
  it('a source that is not there', async () => {
    expect(await refusal('/no/such/folder', TINY)).toMatch(/there is no folder \/no\/such\/folder to label/);
  });

  it('a source that is a file', async () => {
    const file = path.join(temporaryFolder(), 'a.jpg');
    writeFileSync(file, 'x');
    expect(await refusal(file, TINY)).toMatch(/a\.jpg is a file; the source is a folder/);
  });

  it('a source whose path cannot be followed', async () => {
    const folder = temporaryFolder();
    symlinkSync('loop', path.join(folder, 'loop'));
    expect(await refusal(path.join(folder, 'loop'), TINY)).toMatch(/cannot read the folder .*loop/);
  });

  it('a source without images', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'notes.txt'), 'x');
    expect(await refusal(folder, TINY)).toMatch(/holds no image: looked for files ending in \.jpg/);
  });

  it('an output inside the source', async () => {
    const source = path.join(temporaryFolder(), 'photos');
    cpSync(path.join(demoImages, 'desk'), source, { recursive: true });
    output = path.join(source, 'labels', 'out');
    expect(await refusal(source, TINY)).toMatch(
      /lies inside the source.*Choose an output beside the source/s,
    );
  });

  it('a model package that is not there, or has no model.json', async () => {
    expect(await refusal(demoImages, '/no/model')).toMatch(/there is no model package at \/no\/model/);
    const empty = temporaryFolder();
    expect(await refusal(demoImages, empty)).toMatch(/has no model\.json/);
  });

  it('an invalid model.json, naming every path', async () => {
    const folder = changedPackage((manifest) => {
      manifest.contract = 'yolo';
      manifest.thresholds = { score: 2 };
    });
    const message = await refusal(demoImages, folder);
    expect(message).toMatch(/model\.json is not a valid model manifest/);
    expect(message).toMatch(/contract: .*"millrace"/);
    expect(message).toMatch(/thresholds\.score: .*1/);
  });

  it('a wrong checksum', async () => {
    const folder = changedPackage((manifest) => {
      manifest.sha256 = '0'.repeat(64);
    });
    expect(await refusal(demoImages, folder)).toMatch(/has SHA-256 [0-9a-f]{64}, but model\.json says 0{64}/);
  });

  it('a file that is not ONNX', async () => {
    const text = 'This is a checkpoint, or a web page, or anything but a graph.';
    const folder = changedPackage((manifest) => {
      manifest.sha256 = createHash('sha256').update(text).digest('hex');
    });
    writeFileSync(path.join(folder, 'model.onnx'), text);
    expect(await refusal(demoImages, folder)).toMatch(/model\.onnx is not an ONNX model .*millrace-export/s);
  });

  it('a contract that does not match the graph, with both', async () => {
    const folder = changedPackage((manifest) => {
      manifest.contract = 'torchvision';
      manifest.input = { layout: 'NCHW', dtype: 'float32', resize: { policy: 'none' } };
      manifest.batch = { size: 1, max: 1 };
    });
    const message = await refusal(demoImages, folder);
    expect(message).toMatch(/expected inputs: +input float32\[1,3,H,W\]/);
    expect(message).toMatch(/found inputs: +images uint8/);
  });

  it.each([
    [['--score-threshold', '1.5'], /--score-threshold 1\.5: .*<=1/],
    [['--score-threshold', 'high'], /--score-threshold/],
    [['--batch-size', '9'], /--batch-size 9 is above the maximum of the model "tiny-mask-rcnn": 8/],
    [['--batch-size', '0'], /--batch-size 0/],
    [['--provider', 'tensorrt'], /provider "tensorrt" is not available here .*available: cpu/s],
    [['--provider', 'gpu'], /--provider "gpu".*cpu/s],
    [['--max-failures', 'few'], /--max-failures "few": a share such as "5%" or a count such as "20"/],
    [['--shard-size', '0'], /--shard-size 0/],
    [['--colour', 'red'], /unknown option '--colour'/],
  ])('%j', async (flags, message) => {
    expect(await refusal(demoImages, TINY, ...flags)).toMatch(message);
  });

  it('an output that holds other files', async () => {
    mkdirSync(output);
    writeFileSync(path.join(output, 'annotations.json'), 'precious');
    const result = await millrace(['run', demoImages, '--model', TINY, '--output', output]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/is not empty \(it holds annotations\.json, among others\)/);
    expect(readdirSync(output)).toEqual(['annotations.json']);
  });
});

describe('millrace', () => {
  it('teaches with --help', async () => {
    const { exitCode, stdout } = await millrace(['run', '--help']);
    expect(exitCode).toBe(0);
    for (const word of ['--max-failures', 'annotations.json', 'resumes', 'Examples:'])
      expect(stdout).toContain(word);
  });

  it('says what is missing', async () => {
    const { exitCode, stderr } = await millrace(['run', demoImages]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/required option '--model <package>' not specified/);
  });

  it('shows the stack only when asked', async () => {
    const { stderr } = await millrace(['--debug', 'run', '/no/such', '--model', TINY, '--output', output]);
    expect(stderr).toMatch(/\n\s+at /);
  });
});
