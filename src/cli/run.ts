import { type Command, Option } from 'commander';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { runDataset, type RunReport } from '../flow.ts';
import { PROVIDERS } from '../model/session.ts';
import { MillraceError } from '../runtime/errors.ts';
import { createLogger } from '../runtime/log.ts';
import { duration, ProgressReporter } from './progress.ts';
import { addResultOptions, numberIfAny, setting } from './settings.ts';

const HELP = `
What comes out, below --output:
  annotations.json      COCO dataset JSON of the detections at or above --label-threshold
  results/*.json        COCO results JSON (bbox, segm) of all that is at or above --score-threshold, for loadRes
  annotated/            the images with masks, boxes and labels drawn on
  failures.csv          the images that could not be labelled, each with its class and reason
  _SUCCESS              last, once every image is accounted for

The same command again resumes an interrupted run, and does nothing for a complete one. Settings can also stand in
millrace.yaml (batchSize: 4) or in the environment (MILLRACE_BATCH_SIZE=4); flags win.

Examples:
  $ millrace run photos --model models/id-cards --output out
  $ millrace run photos --model my-model --output out --score-threshold 0.3 --no-annotate
  $ millrace run photos --model my-model --output out --max-failures 20 --json | jq .failed`;

const runOptions = z.object({
  model: z.string(),
  output: z.string(),
  config: z.string().optional(),
  json: z.boolean().optional(),
  batchSize: setting,
  shardSize: setting,
  scoreThreshold: setting,
  labelThreshold: setting,
  provider: z.string().optional(),
  threads: setting,
  annotate: z.boolean().optional(),
  maxFailures: z.string().optional(),
});

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('label a folder of images in this process: plan, infer, merge; resumes where it stopped')
    .argument('<source>', 'folder, s3://bucket/prefix/, glob, or list of images (docs/sources.md)')
    .requiredOption('--model <package>', 'folder of a model package (model.json and an .onnx file)')
    .requiredOption('--output <dir>', 'folder for the results; a new one, or one that this run began')
    .option('--batch-size <n>', "images in one inference (default: the model's maximum)", numberIfAny)
    .addOption(new Option('--provider <name>', `execution provider: ${PROVIDERS.join(', ')} (default: cpu)`))
    .option('--threads <n>', 'threads of one inference (default: one a core)', numberIfAny);
  addResultOptions(command)
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (source: string, options: unknown) => {
      await run(source, runOptions.parse(options));
    });
}

async function run(source: string, options: z.infer<typeof runOptions>): Promise<void> {
  const { model, output, config: file, json, ...flags } = options;
  const config = loadConfig({ flags, environment: process.env, ...(file === undefined ? {} : { file }) });
  const log = createLogger(config.logLevel ?? 'warn');
  const progress = new ProgressReporter(process.stderr);
  let begun = false;
  const interrupt = interruptSignal(() => {
    if (!begun) return false;
    progress.end();
    process.stderr.write('millrace: finishing the batch in hand; Ctrl-C again quits at once\n');
    return true;
  });
  const startedMs = performance.now();
  const request = { source, model, output, config, log, signal: interrupt };
  const report = await runDataset({
    ...request,
    onProgress: (state) => {
      begun = true;
      progress.update(state);
    },
  }).finally(() => progress.end());
  const seconds = (performance.now() - startedMs) / 1000;
  if (json) process.stdout.write(`${JSON.stringify({ ...report, seconds }, null, 2)}\n`);
  else process.stdout.write(summary(report, seconds));
}

/**
 * Aborts at the first SIGINT or SIGTERM, if `finishing` says that there is something to finish. Otherwise, and at the
 * second, the signal ends the process as it does any: leaving by `process.exit` would tear down the inference thread in
 * the middle of its native call, which aborts the process.
 */
function interruptSignal(finishing: () => boolean): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted || !finishing()) {
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
      return;
    }
    controller.abort(
      new MillraceError(
        'INTERRUPTED',
        'interrupted. What is done is kept: run the same command again to resume.',
      ),
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

function summary(report: RunReport, seconds: number): string {
  const folder = fileURLToPath(report.output);
  if (report.alreadyComplete) {
    return `Nothing to do: this run is complete (${report.labelled} labelled, ${report.failed} failed). Results: ${folder}\n`;
  }
  const failures = Object.entries(report.failures).map(([failureClass, count]) => `${count} ${failureClass}`);
  const lines = [
    `${report.images} images: ${report.labelled} labelled, ${report.failed} failed` +
      (failures.length > 0 ? ` (${failures.join(', ')}; see failures.csv)` : ''),
    `${report.annotations} annotations in ${duration(seconds)}; ${paddingShare(report)} of the network input was padding`,
    `Results: ${folder}`,
  ];
  return `${lines.join('\n')}\n`;
}

const paddingShare = ({ networkPixels: { total, padding } }: RunReport): string =>
  `${((100 * padding) / Math.max(total, 1)).toFixed(1)}%`;
