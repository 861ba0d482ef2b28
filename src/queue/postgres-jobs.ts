import type { PgQueryable } from 'bullmq';
import { z } from 'zod';
import type { BullBackend } from './backend.ts';

/** Questions to BullMQ's tables (its `0001_schema.sql`) that it has no call for. */

const rows = z.array(z.object({ id: z.string(), standing: z.enum(['live', 'completed', 'failed']) }));

const STANDINGS = `
  SELECT id, CASE WHEN state IN ('completed', 'failed') THEN state::text ELSE 'live' END AS standing
    FROM job WHERE queue = $1 AND id = ANY($2::text[])`;

export const postgresJobs = (
  database: PgQueryable,
): Pick<BullBackend, 'standings' | 'forgetFailures' | 'ping'> => ({
  standings: async (queue, jobIds) => {
    const answer = await database.query(STANDINGS, [queue, [...jobIds]]);
    const found = new Map(rows.parse(answer.rows).map(({ id, standing }) => [id, standing]));
    return jobIds.map((id) => found.get(id) ?? 'gone');
  },
  forgetFailures: async (parent, queue, jobIds) => {
    await database.query(
      `DELETE FROM job_dependency WHERE parent_queue = $1 AND parent_id = $2 AND status = 'ignored'
         AND child_queue = $3 AND child_id = ANY($4::text[])`,
      [parent.queue, parent.id, queue, [...jobIds]],
    );
  },
  ping: async () => void (await database.query('SELECT 1')),
});
