import type { BackendFactory, IQueueBackend } from 'bullmq';
import type { QueueKind } from './queue-connection.ts';

/** `live`: it waits, runs or will be tried again; `gone`: never added, or finished and kept no longer. */
export type JobStanding = 'live' | 'completed' | 'failed' | 'gone';

/** Where BullMQ keeps its jobs, and what it has no call for. Job ids come in hundreds: each call is one round trip. */
export interface BullBackend {
  readonly kind: QueueKind;
  readonly factory: BackendFactory<IQueueBackend, unknown>;
  /** The largest group of shards that it takes at a go without keeping others waiting; see `QueueSettings.groupSize`. */
  readonly groupSize: number;
  /** In the order of `jobIds`. BullMQ's own `getState` reads the whole list of waiting jobs for each. */
  standings(queue: string, jobIds: readonly string[]): Promise<JobStanding[]>;
  /** Has a parent forget that children failed, so that they can be its children once more. */
  forgetFailures(parent: JobPlace, queue: string, jobIds: readonly string[]): Promise<void>;
  /** False while the store is known to be out of reach: a worker that closes then does not wait for its answer. */
  readonly reachable: boolean;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface JobPlace {
  readonly queue: string;
  readonly id: string;
}

/** One of BullMQ's factories, bound to what it connects to. */
export const boundFactory =
  <C>(factory: BackendFactory<IQueueBackend, C>, connection: C): BackendFactory<IQueueBackend, unknown> =>
  (name, options, kind) =>
    factory(name, { ...options, connection }, kind);
