#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { isMillraceError, systemCode, toError } from '../runtime/errors.ts';
import { MILLRACE_VERSION } from '../runtime/versions.ts';
import { addBoardCommand } from './board.ts';
import { addCancelCommand } from './cancel.ts';
import { addCoordinatorCommand } from './coordinator.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEnqueueCommand } from './enqueue.ts';
import { addInspectCommand } from './inspect.ts';
import { addResumeCommand } from './resume.ts';
import { addRunCommand } from './run.ts';
import { addStatusCommand } from './status.ts';
import { addWatchCommand } from './watch.ts';
import { addWorkerCommand } from './worker.ts';

const EXIT_USAGE = 2;

const program = new Command('millrace')
  .description(
    'Runs R-CNN-family ONNX models over image datasets: images in, COCO JSON and annotated images out.',
  )
  .version(MILLRACE_VERSION)
  .addOption(new Option('--debug', 'show stack traces'))
  .showHelpAfterError('(add --help for what is allowed)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 usage, 3 too many failed images, 130 interrupted (run again to resume).

Start here:
  millrace doctor                                     what works on this machine
  millrace run photos --model my-model --output out   label a folder`,
  )
  .exitOverride();
addRunCommand(program);
addEnqueueCommand(program);
addStatusCommand(program);
addWatchCommand(program);
addCancelCommand(program);
addResumeCommand(program);
addWorkerCommand(program);
addCoordinatorCommand(program);
addBoardCommand(program);
addInspectCommand(program);
addDoctorCommand(program);

// What cannot be printed any more (`| head`, a full disk) must not look like a crash.
process.stdout.on('error', (error) => {
  process.exitCode = 1;
  if (systemCode(error) !== 'EPIPE')
    process.stderr.write(`millrace: cannot print the result: ${error.message}\n`);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const { message, stack } = toError(error);
  process.stderr.write(`millrace: ${message}\n`);
  if (program.opts().debug) process.stderr.write(`${stack ?? ''}\n`);
  else if (!isMillraceError(error)) process.stderr.write('(--debug shows where)\n');
  return isMillraceError(error) ? error.exitCode : 1;
}
