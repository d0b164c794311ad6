import { sql, type Transaction } from 'kysely';
import type { LineName } from '../../core/fairness/queue-lines.ts';
import type { Ledger } from '../connection/tables.ts';
import { IN_ORDER } from '../jobs/hot-rows.ts';
import { BLOCKED_LINE, LINE } from '../jobs/survey-queue.ts';

/** The first job of a line. */
export interface FirstOfLine extends LineName {
  placedBy: string;
  jobId: string;
}

export interface LineLength {
  jobs: number;
  /** Whether it has no more. */
  isCounted: boolean;
}

/** How far a line was counted. */
interface Counted<Line> extends LineLength {
  line: Line;
  last: Pick<FirstOfLine, 'placedBy' | 'jobId'>;
}

/**
 * Counts the jobs of lines, up to `most` of them together: each as far as its part of that, and those that are longer on from
 * there, as what short ones leave is theirs. No job is read twice.
 */
export async function countLines<Line extends FirstOfLine>(
  tx: Transaction<Ledger>,
  queue: string,
  firsts: readonly Line[],
  most: number,
): Promise<(Line & LineLength)[]> {
  const all = firsts.map((line): Counted<Line> => ({ line, last: line, jobs: 1, isCounted: false }));
  let left = most - all.length;
  for (let open = all; open.length > 0; open = open.filter(({ isCounted }) => !isCounted)) {
    const share = Math.floor(left / open.length);
    if (share <= 0) break;
    for (const { place, jobs, ...last } of await countOn(tx, queue, open, share)) {
      const counted = open[place];
      if (!counted) continue;
      Object.assign(counted, { last, jobs: counted.jobs + jobs, isCounted: jobs < share });
      left -= jobs;
    }
  }
  return all.map(({ line, jobs, isCounted }) => ({ ...line, jobs, isCounted }));
}

type CountedOn = Counted<FirstOfLine>['last'] & { place: number; jobs: number };

/** Counts up to `share` jobs more of each, and answers the last of them. */
async function countOn(
  tx: Transaction<Ledger>,
  queue: string,
  lines: readonly Counted<FirstOfLine>[],
  share: number,
): Promise<CountedOn[]> {
  const given = lines.map(({ line, last }, place) => ({ ...line, ...last, place }));
  const isLater = sql`(placed_by, job_id) > (line."placedBy", line."jobId")`;
  const counted = sql`row_number() OVER (ORDER BY placed_by, job_id) AS jobs, placed_by, job_id`;
  const upToShare = sql`ORDER BY placed_by, job_id LIMIT ${sql.lit(share)}`;
  const { rows } = await sql<CountedOn>`
    SELECT place, coalesce(jobs, 0)::int AS jobs, coalesce(later.placed_by, line."placedBy")::text AS "placedBy",
      coalesce(later.job_id, line."jobId") AS "jobId"
    FROM jsonb_to_recordset(${JSON.stringify(given)}::jsonb) AS line(place integer, "tenantId" uuid, type text, "refusedBy" text[],
      priority smallint, "isNew" boolean, "isKeyed" boolean, "blockedBy" text, "placedBy" xid8, "jobId" uuid)
    LEFT JOIN LATERAL (
      SELECT * FROM (
        (SELECT ${counted} FROM ready WHERE line."blockedBy" IS NULL AND queue = ${queue} AND ${IN_ORDER}
          AND (${LINE}) = (line."tenantId", line.type, line."refusedBy", line.priority, line."isNew", line."isKeyed")
          AND ${isLater} ${upToShare})
        UNION ALL
        (SELECT ${counted} FROM blocked WHERE queue = ${queue} AND ${IN_ORDER}
          AND (${BLOCKED_LINE}) = (line."tenantId", line."blockedBy", line.type, line."refusedBy", line.priority, line."isNew")
          AND ${isLater} ${upToShare})) AS one
      ORDER BY jobs DESC LIMIT 1) AS later ON true`.execute(tx);
  return rows;
}
