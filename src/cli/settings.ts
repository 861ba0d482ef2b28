/** Flags that several commands share. What they mean, and what is allowed, is said in config/schema.ts. */
import type { Command } from 'commander';
import { z } from 'zod';

/** A number, or the text that is none, for the configuration to refuse by name. */
export const setting = z.union([z.number(), z.string()]).optional();

export const numberIfAny = (text: string): number | string =>
  text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);

/** What affects the results of a run, or how it ends. */
export function addResultOptions(command: Command): Command {
  return command
    .option('--shard-size <n>', 'images in a shard, the unit of resuming, 1 to 256, or "auto"', numberIfAny)
    .option(
      '--score-threshold <0..1>',
      "drop detections below it; the graph may drop more (default: the model's)",
      numberIfAny,
    )
    .option(
      '--label-threshold <0..1>',
      "draw and annotate from it upwards (default: the model's)",
      numberIfAny,
    )
    .option('--annotate', 'draw the detections on a copy of each image (default)')
    .option('--no-annotate', 'write no annotated images')
    .option('--max-failures <n|n%>', 'stop when more images fail than this count or share (default: 5%)')
    .option('--config <file>', 'settings file (default: millrace.yaml where there is one)');
}
