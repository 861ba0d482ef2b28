/** One bench case, alone in its process so that its peak memory is its own; reports over IPC. */
import { measure } from './measure.ts';

const [source, model] = process.argv.slice(2);
if (source === undefined || model === undefined) throw new Error('usage: case-process <source> <model>');
process.send?.(await measure(source, model));
process.disconnect();
