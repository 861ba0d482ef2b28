import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../src/runtime/package-root.ts';

export interface BenchCase {
  readonly name: string;
  /** Makes what the case needs; `missing` says what the machine lacks and how to get it. */
  readonly prepare: () => Promise<
    { readonly source: string; readonly model: string } | { readonly missing: string }
  >;
}

const ROOT = fileURLToPath(packageRoot);
const IMAGES = path.join(ROOT, 'examples/images');
const RESNET = path.join(ROOT, '.cache/bench/maskrcnn_resnet50_fpn');
/** The Python that has the exporter's requirements. */
const PYTHON = process.env.MILLRACE_PYTHON ?? 'python3';

export const BENCH_CASES: readonly BenchCase[] = [
  {
    name: 'id-cards',
    prepare: async () => ({ source: await repeatImages(10), model: path.join(ROOT, 'models/id-cards') }),
  },
  {
    name: 'maskrcnn_resnet50_fpn',
    prepare: async () => {
      const problem = existsSync(path.join(RESNET, 'model.json')) ? undefined : await exportResnet();
      return problem === undefined ? { source: await repeatImages(1), model: RESNET } : { missing: problem };
    },
  },
];

/** A folder with every readable demo image so many times; the next bench makes it anew. */
async function repeatImages(times: number): Promise<string> {
  const folder = path.join(ROOT, '.cache/bench', `images-x${times}`);
  await rm(folder, { recursive: true, force: true });
  const entries = await readdir(IMAGES, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('broken'));
  for (let copy = 0; copy < times; copy++) {
    await mkdir(path.join(folder, String(copy)), { recursive: true });
    for (const [index, file] of files.entries()) {
      const target = path.join(folder, String(copy), `${index}-${file.name}`);
      await copyFile(path.join(file.parentPath, file.name), target);
    }
  }
  return folder;
}

/** Random weights: what the model finds does not matter here, what it computes does. Returns the problem, if any. */
async function exportResnet(): Promise<string | undefined> {
  const argv = [
    '-m',
    'millrace_export',
    '--arch',
    'maskrcnn_resnet50_fpn',
    '--weights',
    'random',
    '--num-classes',
    '91',
    '--no-verify',
  ];
  try {
    await mkdir(path.dirname(RESNET), { recursive: true });
    await promisify(execFile)(PYTHON, [...argv, '--output', RESNET], {
      env: { ...process.env, PYTHONPATH: path.join(ROOT, 'export/src') },
    });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return `It takes PyTorch to export it: install export/ (see its README) and set MILLRACE_PYTHON to that Python. (${reason})`;
  }
}
