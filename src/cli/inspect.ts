import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { describe } from '../model/contracts/contract.ts';
import { guessContract } from '../model/inspect.ts';
import { openModel, openModelFile } from '../model/model.ts';
import { loadModelPackage } from '../model/package.ts';
import type { GraphSignature, TensorInfo } from '../model/session.ts';
import { MillraceError } from '../runtime/errors.ts';

const OPTIONS = { provider: 'cpu', threads: 1 } as const;

const HELP = `
Examples:
  $ millrace inspect models/id-cards      checks a package: manifest, checksum, contract, blank batches
  $ millrace inspect model.onnx           shows a graph's inputs and outputs, and which contract they fit`;

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('look at an ONNX model, or check a model package')
    .argument('<model>', 'an .onnx file, or the folder of a model package')
    .addHelpText('after', HELP)
    .action(async (model: string) => {
      const found = await stat(model).catch(() => undefined);
      if (!found) throw new MillraceError('MODEL_NOT_FOUND', `there is no file or folder ${model}`);
      process.stdout.write(found.isDirectory() ? await inspectPackage(model) : await inspectFile(model));
    });
}

async function inspectPackage(folder: string): Promise<string> {
  const modelPackage = await loadModelPackage(folder);
  const model = await openModel(modelPackage, OPTIONS);
  const { signature } = model.session;
  await model.close();
  const { name, task, contract, batch, classes } = modelPackage.manifest;
  return [
    `${name}: ${task}, contract ${contract}`,
    `classes: ${classes.map((entry) => `${entry.label} ${entry.name}`).join(', ')}`,
    ...describeSignature(signature),
    `model.json is valid, the checksum is right, blank batches of 1 and ${batch.max} pass`,
    '',
  ].join('\n');
}

async function inspectFile(file: string): Promise<string> {
  const session = await openModelFile(file, OPTIONS);
  const { signature } = session;
  await session.close();
  const guess = guessContract(signature);
  const verdict = guess
    ? `contract: ${guess.contract}, because ${guess.why}; docs/model-packages.md says how to write its model.json`
    : 'contract: none fits these inputs and outputs';
  return [...describeSignature(signature), verdict, ''].join('\n');
}

function describeSignature({ inputs, outputs }: GraphSignature): string[] {
  const line = ({ name, dtype, shape }: TensorInfo): string => `  ${describe(name, dtype, shape)}`;
  return ['inputs:', ...inputs.map(line), 'outputs:', ...outputs.map(line)];
}
