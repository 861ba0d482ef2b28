/** The body of the image pool's threads: unpacks a task, and moves the result's buffers instead of copying them. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { transferableBuffers } from '../runtime/transferable.ts';
import {
  finishImage,
  type Finished,
  type FinishTask,
  prepareBatch,
  type Prepared,
  type PrepareTask,
} from './image-tasks.ts';

export type PoolTask =
  | { readonly kind: 'prepare'; readonly task: PrepareTask }
  | { readonly kind: 'finish'; readonly task: FinishTask };

export function runTask(request: PoolTask): unknown {
  if (request.kind === 'prepare') {
    const prepared = prepareBatch(request.task);
    return moving(prepared, [prepared.batch.pixels, ...prepared.pixels]);
  }
  const finished = finishImage(request.task);
  return moving(finished, finished.drawn ? [finished.drawn.jpeg] : []);
}

function moving(value: Prepared | Finished, views: readonly ArrayBufferView[]): unknown {
  return move({ [transferableSymbol]: transferableBuffers(views), [valueSymbol]: value });
}
