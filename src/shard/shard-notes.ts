import { z } from 'zod';

/** What the work on one shard notes where it survives its process. Images are named by their position in the shard. */
export const shardNote = z.strictObject({
  schema: z.literal(1),
  /** Images whose batch was under way. */
  suspects: z.array(z.int().nonnegative()),
  /** Images that were run alone, and how many of these runs did not end. */
  alone: z.array(z.tuple([z.int().nonnegative(), z.int().positive()])),
});

export type ShardNote = z.infer<typeof shardNote>;

/** Where the notes of one shard are kept, for whoever takes it after its worker was killed. */
export interface ShardNotes {
  /** The last note, or undefined where there is none that can be read. */
  read(): Promise<ShardNote | undefined>;
  write(note: ShardNote): Promise<void>;
  clear(): Promise<void>;
}

/** A job that keeps a value for whoever takes it next: BullMQ's progress. */
export interface JobMemory {
  read(): unknown;
  write(value: object): Promise<void>;
}

/** Notes in the job itself. What it holds is parsed: anybody who can write to the queue can write it. */
export const jobNotes = (job: JobMemory): ShardNotes => ({
  read: async () => shardNote.safeParse(job.read()).data,
  write: (note) => job.write(note),
  // BullMQ's progress cannot be removed; this is no note.
  clear: () => job.write({}),
});

/** For one who does not come back. */
export const NO_NOTES: ShardNotes = {
  read: async () => undefined,
  write: async () => undefined,
  clear: async () => undefined,
};
