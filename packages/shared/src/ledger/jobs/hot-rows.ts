import { type RawBuilder, sql, type Transaction } from 'kysely';
import { isTerminal } from '../../core/job/status.ts';
import type { Ledger } from '../connection/tables.ts';
import type { HotTable } from './hot-tables.ts';
import type { HotRow } from './jobs-tables.ts';
import { findJob } from './read-jobs.ts';
import type { ShownJob } from './shown-job.ts';

/**
 * A live job is in exactly one of the hot tables and moves by `DELETE … RETURNING` into the next, in one statement. What
 * it takes along is listed here, in one order for all.
 */
const CARRIED_COLUMNS: (keyof HotRow)[] = [
  'tenant_id',
  'job_id',
  'run_at',
  'expires_at',
  'version',
  'attempt',
  'attempts_made',
  'replay_round',
  'dispatch_no',
  'revision',
  'concurrency_limit',
  'priority',
  'losses',
  'suspect',
  'has_followers',
  'queue',
  'type',
  'concurrency_key',
  'traceparent',
  'refused_by',
];

/** `tenant_id, job_id, …`: the columns to insert into. */
export const CARRIED = sql.raw(CARRIED_COLUMNS.join(', '));

/** Builds what a row takes along out of `source`, but for the columns that change on the way. */
export function carriedFrom(
  source: string,
  changes: Partial<Record<keyof HotRow, RawBuilder<unknown>>> = {},
): RawBuilder<unknown> {
  return sql.join(CARRIED_COLUMNS.map((name) => changes[name] ?? sql.ref(`${source}.${name}`)));
}

/**
 * Means the index of `ready`, or of `blocked`, by lines, and no other (`migrations/0026_turns.ts`): it holds for every row, and is
 * dear where it has to be looked at (`migrations/0044_dear_to_look_at.ts`), as the key of the table looks cheaper while that is taken for empty.
 */
export const IN_ORDER = meant('attempt');
/** Means the index of `due`, or of `in_flight`, that begins with the queue. */
export const OF_QUEUE = meant('priority');

/** Builds what the predicate of the index implies, so that nobody looks at it there. Elsewhere it is done with at `>= 0`. */
function meant(column: 'attempt' | 'priority'): RawBuilder<unknown> {
  const predicate = `CASE WHEN ${column} >= 0 THEN true ELSE false END`;
  return sql.raw(`${predicate} AND (${predicate} OR dear_to_look_at(${column}))`);
}

/** Where a live job is, and whether a job in flight has been claimed. */
export interface LiveJob {
  table: HotTable;
  isRunning: boolean;
}

/** So often a job is looked for that moves each time. A move takes longer than a look, so the next one finds it. */
const MAX_LOOKS = 1_000;

/**
 * Locks a live job of a tenant where it is: nobody moves it until the transaction ends. Answers the job itself when it is
 * finished, and `undefined` when there is no such job.
 *
 * Each look has a snapshot of its own. One that waits for somebody who moves the job finds the old row gone and does not
 * see the new one, so what was found nowhere is finished only if one snapshot of all tables says so.
 */
export async function lockLiveJob(
  tx: Transaction<Ledger>,
  tenantId: string,
  jobId: string,
): Promise<LiveJob | { finished: ShownJob } | undefined> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const { rows } = await lockWhereItIs(tenantId, jobId).execute(tx);
    if (rows[0]) return rows[0];
    const job = await findJob(tx, tenantId, jobId);
    if (!job) return undefined;
    if (isTerminal(job.status)) return { finished: job };
  }
  throw new Error('A job moves faster than it can be locked.');
}

function lockWhereItIs(tenantId: string, jobId: string) {
  const lock = (table: HotTable, isRunning: RawBuilder<unknown>) => sql`
    SELECT ${sql.lit(table)} AS "table", ${isRunning} AS "isRunning" FROM ${sql.table(table)} AS hot
    WHERE tenant_id = ${tenantId} AND job_id = ${jobId} FOR UPDATE`;
  return sql<LiveJob>`
    /* lock-live-job */ WITH is_ready AS (${lock('ready', sql`false`)}), is_blocked AS (${lock('blocked', sql`false`)}),
      is_due AS (${lock('due', sql`false`)}), flies AS (${lock('in_flight', sql`worker_id IS NOT NULL`)})
    SELECT * FROM is_ready UNION ALL SELECT * FROM is_blocked UNION ALL SELECT * FROM is_due UNION ALL SELECT * FROM flies`;
}
