/**
 * Plans a list of many images, as a coordinator does: list -> parts -> plan.json. Prints keys a second and the peak of
 * the resident memory, which has to stay flat.
 *
 *     node dist/bench/plan.js [images, default 1000000] [txt | jsonl]
 */
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { planRun } from '../src/plan/plan-run.ts';
import { openSource } from '../src/source/open-source.ts';
import { openStorage } from '../src/storage/open.ts';

const LINES_A_WRITE = 10_000;
const MIB = 1024 * 1024;

const images = Number(process.argv[2] ?? 1_000_000);
const format = process.argv[3] ?? 'txt';
const folder = await mkdtemp(path.join(tmpdir(), 'millrace-plan-'));
try {
  const list = path.join(folder, `list.${format}`);
  await writeList(list, images, format);
  const source = await openSource(list);
  const output = await openStorage(path.join(folder, 'out'));
  const before = rssMib();
  const startMs = performance.now();
  const plan = await planRun(output, source.list(), 'auto', 1);
  const seconds = (performance.now() - startMs) / 1000;
  const planBytes = (await stat(path.join(folder, 'out/plan.json'))).size;
  process.stdout.write(
    `${plan.images} images in ${plan.parts.length} parts: ${Math.round(plan.images / seconds)} images/s; ` +
      `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB (${Math.round(before)} MiB before); ` +
      `plan.json ${(planBytes / MIB).toFixed(2)} MiB\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}

function rssMib(): number {
  return process.memoryUsage.rss() / MIB;
}

async function writeList(file: string, count: number, format: string): Promise<void> {
  const handle = await open(file, 'w');
  for (let start = 0; start < count; start += LINES_A_WRITE) {
    const lines = Array.from({ length: Math.min(LINES_A_WRITE, count - start) }, (_, index) =>
      lineOf(start + index, format),
    );
    await handle.write(lines.join(''));
  }
  await handle.close();
}

function lineOf(index: number, format: string): string {
  const uri = `s3://photos-of-a-fleet/2026/camera-${index % 97}/${String(index).padStart(12, '0')}.jpg`;
  return format === 'jsonl' ? `${JSON.stringify({ uri, id: index + 1, size: 123_456 })}\n` : `${uri}\n`;
}
