import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';

/** Something that happened `by` times; `label` tells kinds of it apart, such as an attempt's outcome. */
export interface CounterIncrement {
  name: string;
  queue: string;
  label: string;
  by: number;
}

export interface CounterTotal {
  name: string;
  queue: string;
  label: string;
  total: number;
}

/** What counts the jobs that finish, by their status; how many did in which hour is kept. */
const JOBS_FINISHED = 'jobs_finished';

/** Adds to the totals, all or nothing. Sorted, so that two processes that add at once do not wait for each other in a circle. */
export async function addToCounters(db: Database, increments: CounterIncrement[]): Promise<void> {
  if (increments.length === 0) return;
  await sql`
    WITH counted AS (
      INSERT INTO counters (name, queue, label, total)
      SELECT name, queue, label, sum(by)::bigint FROM ${unnestBatch('i', COLUMNS, increments)}
      GROUP BY name, queue, label
      ORDER BY name, queue, label
      ON CONFLICT (name, queue, label) DO UPDATE SET total = counters.total + excluded.total)
    INSERT INTO finished_by_hour AS kept (queue, status, hour, jobs)
    SELECT queue, label, date_trunc('hour', now(), 'UTC'), sum(by)::bigint FROM ${unnestBatch('i', COLUMNS, increments)}
    WHERE name = ${JOBS_FINISHED}
    GROUP BY queue, label
    ORDER BY queue, label
    ON CONFLICT (queue, status, hour) DO UPDATE SET jobs = kept.jobs + excluded.jobs`.execute(db);
}

const COLUMNS: BatchColumn<CounterIncrement>[] = [
  { name: 'name', type: 'text', value: ({ name }) => name },
  { name: 'queue', type: 'text', value: ({ queue }) => queue },
  { name: 'label', type: 'text', value: ({ label }) => label },
  { name: 'by', type: 'bigint', value: ({ by }) => by },
];

/** Reads every total: a few rows a queue. */
export async function readCounters(db: Database): Promise<CounterTotal[]> {
  const rows = await db.selectFrom('counters').selectAll().orderBy('name').execute();
  return rows.map((row) => ({ ...row, total: Number(row.total) }));
}
