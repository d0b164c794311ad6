import { sql } from 'kysely';
import type { HeldType } from '../../core/fairness/adaptive-limits.ts';
import type { Database } from '../connection/connect.ts';

/** A type that the dispatcher of a queue holds down, and how many of its jobs it lets be in flight. */
export interface ToldType extends HeldType {
  most: number;
}

/** What was told before this nobody goes by any more. */
const FRESH_SECONDS = 5;
/** By so much the next dispatcher may be late, as where all workers are replaced. */
const KEPT_SECONDS = 60;

/** Tells of the types of a queue that are held down. */
export async function tellHeldTypes(db: Database, queue: string, held: readonly ToldType[]): Promise<void> {
  await sql`
    /* tell-held-types */ UPDATE queues
    SET adaptive_limits = ${JSON.stringify(held)}::jsonb, adaptive_limits_told_at = now() WHERE name = ${queue}`.execute(
    db,
  );
}

function toldWithin(seconds: number) {
  return sql<ToldType[]>`
    CASE WHEN adaptive_limits_told_at > now() - make_interval(secs => ${sql.lit(seconds)}) THEN adaptive_limits ELSE '[]' END`;
}

/** What was told of late, in a statement that reads `queues`. */
export const FRESH_HELD_TYPES = toldWithin(FRESH_SECONDS);

/** Reads what the dispatcher before has told. */
export async function readHeldTypes(db: Database, queue: string): Promise<ToldType[]> {
  const { rows } = await sql<{ held: ToldType[] | null }>`
    /* read-held-types */ SELECT ${toldWithin(KEPT_SECONDS)} AS held FROM queues WHERE name = ${queue}`.execute(
    db,
  );
  return rows[0]?.held ?? [];
}

/** Lists how many jobs of which types of all queues may be in flight, where that was told of late. */
export async function listAdaptiveLimits(
  db: Database,
): Promise<{ queue: string; type: string; most: number }[]> {
  const { rows } = await sql<{ queue: string; type: string; most: number }>`
    SELECT name AS queue, held.type, held.most FROM queues
    CROSS JOIN jsonb_to_recordset(${FRESH_HELD_TYPES}) AS held (type text, most integer)
    ORDER BY name, held.type`.execute(db);
  return rows;
}
