/**
 * `npm run bench`: images/s of the whole way against bare `session.run` on the same batches, in one process each.
 *
 *     npm run bench                 the demo model, and maskrcnn_resnet50_fpn where its package can be made
 *     npm run bench -- id-cards     one of them
 */
import { fork } from 'node:child_process';
import os from 'node:os';
import { MILLRACE_VERSION, ONNXRUNTIME_VERSION } from '../src/runtime/versions.ts';
import { BENCH_CASES } from './cases.ts';
import { measurement, type Measurement } from './measure.ts';

const asked = process.argv.slice(2);
const cases = BENCH_CASES.filter(({ name }) => asked.length === 0 || asked.includes(name));
if (cases.length === 0) {
  process.stderr.write(`no such case; there are ${BENCH_CASES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

process.stdout.write(
  `Millrace ${MILLRACE_VERSION}, ONNX Runtime ${ONNXRUNTIME_VERSION}, Node ${process.versions.node}, ` +
    `${os.availableParallelism()} cores (${os.cpus()[0]?.model.trim()})\n`,
);
for (const { name, prepare } of cases) {
  const ready = await prepare();
  if ('missing' in ready) process.stdout.write(`\n${name}: not run. ${ready.missing}\n`);
  else process.stdout.write(`\n${name}\n${describe(await measureInProcess(ready.source, ready.model))}`);
}

function measureInProcess(source: string, model: string): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('case-process.js', import.meta.url), [source, model]);
    let result: Measurement | undefined;
    child.on('message', (message) => (result = measurement.parse(message)));
    child.on('error', reject);
    child.on('close', (code) => {
      if (result) resolve(result);
      else reject(new Error(`the bench process ended with code ${code}`));
    });
  });
}

function describe(m: Measurement): string {
  const rows: [string, string][] = [
    ['images', `${m.images} in ${m.batches} batches`],
    ['end to end', `${m.endToEndImagesPerSecond.toFixed(2)} images/s`],
    ['bare session.run', `${m.bareImagesPerSecond.toFixed(2)} images/s on the same batches`],
    ['ratio', (m.endToEndImagesPerSecond / m.bareImagesPerSecond).toFixed(3)],
    ['CPU busy', `${m.cpuShare.toFixed(3)} of all cores (CPU seconds of all stages / cores / seconds)`],
    ['padding', `${(100 * m.paddingShare).toFixed(1)}% of the network input`],
    [
      'event-loop delay',
      `p50 ${m.eventLoopDelayMs.p50.toFixed(1)} ms, p99 ${m.eventLoopDelayMs.p99.toFixed(1)} ms, max ${m.eventLoopDelayMs.max.toFixed(1)} ms`,
    ],
    ['peak memory', `${m.peakMiB.toFixed(0)} MiB RSS`],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(18)}${value}\n`).join('');
}
