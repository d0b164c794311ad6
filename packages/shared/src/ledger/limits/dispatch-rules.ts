import { sql } from 'kysely';
import { gateOf } from '../../core/fairness/gates.ts';
import type { StartRate } from '../../core/fairness/start-allowance.ts';
import type { Database } from '../connection/connect.ts';
import type { Limit } from '../jobs/take-jobs.ts';
import type { TurnRules } from '../jobs/turn-rules.ts';
import type { PausedJobs } from '../jobs/unclaimed-jobs.ts';

/** What operators and live builds have laid down for the jobs of a queue. */
export interface DispatchRules extends Omit<TurnRules, 'slowTypes' | 'adaptiveLimits' | 'rooms'> {
  /** By which rates jobs are started. */
  rates: StartRate[];
  pausedJobs: PausedJobs;
  /** Differs where anything does. */
  edition: string;
}

interface RulesRow {
  isPaused: boolean | null;
  queueRate: number | null;
  typeRates: { name: string; perSecond: number }[];
  queueLimit: number | null;
  pausedTypes: string[];
  typeLimits: Limit[];
  pausedTenants: string[];
  tenantLimits: Limit[];
  weights: { id: string; weight: number }[];
  keyLimits: Limit[];
}

/**
 * Reads what is in force for a queue that these builds serve. The limit of a key is that of the build which first registered most
 * recently of them.
 */
export async function readDispatchRules(
  db: Database,
  queue: string,
  buildIds: readonly string[],
): Promise<DispatchRules> {
  const { rows } = await sql<RulesRow>`
    /* read-dispatch-rules */ WITH in_force AS (
      SELECT DISTINCT ON (type) type, (defaults #>> '{concurrency,limit}')::integer AS most
      FROM build_types JOIN builds ON builds.id = build_id WHERE build_id = ANY(${buildIds}::text[])
      ORDER BY type, registered_at DESC, build_id
    ),
    -- In the order of their key: so they are read through its index.
    ruled_types AS MATERIALIZED (SELECT type, paused_at, concurrency, rate_per_second FROM job_type_rules ORDER BY type),
    ruled AS (
      SELECT id, paused_at, concurrency, weight FROM tenants
      WHERE paused_at IS NOT NULL OR concurrency IS NOT NULL OR weight <> 1
    )
    SELECT (SELECT paused_at IS NOT NULL FROM queues WHERE name = ${queue}) AS "isPaused",
      (SELECT concurrency FROM queues WHERE name = ${queue}) AS "queueLimit",
      (SELECT rate_per_second FROM queues WHERE name = ${queue}) AS "queueRate",
      (SELECT coalesce(json_agg(json_build_object('name', type, 'perSecond', rate_per_second)), '[]') FROM ruled_types
        WHERE rate_per_second IS NOT NULL) AS "typeRates",
      ARRAY(SELECT type FROM ruled_types WHERE paused_at IS NOT NULL) AS "pausedTypes",
      (SELECT coalesce(json_agg(json_build_object('name', type, 'most', concurrency)), '[]') FROM ruled_types
        WHERE concurrency IS NOT NULL) AS "typeLimits",
      ARRAY(SELECT id FROM ruled WHERE paused_at IS NOT NULL) AS "pausedTenants",
      (SELECT coalesce(json_agg(json_build_object('name', id, 'most', concurrency)), '[]') FROM ruled
        WHERE concurrency IS NOT NULL) AS "tenantLimits",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'weight', weight)), '[]') FROM ruled WHERE weight <> 1) AS weights,
      (SELECT coalesce(json_agg(json_build_object('name', type, 'most', most)), '[]') FROM in_force
        WHERE most IS NOT NULL) AS "keyLimits"`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('The rules of a queue answered no row.');
  const { pausedTypes: types, pausedTenants: tenants } = row;
  const isQueue = row.isPaused === true;
  return {
    edition: JSON.stringify(row),
    pausedJobs: { isQueue, types, tenants },
    paused: new Set([
      ...(isQueue ? [gateOf.queue()] : []),
      ...types.map(gateOf.type),
      ...tenants.map(gateOf.tenant),
    ]),
    limits: { key: row.keyLimits, type: row.typeLimits, tenant: row.tenantLimits },
    queueLimit: row.queueLimit,
    rates: [
      ...(row.queueRate === null
        ? []
        : [{ gate: gateOf.queue(), name: `queue ${queue}`, perSecond: row.queueRate }]),
      ...row.typeRates.map(({ name, perSecond }) => ({
        gate: gateOf.type(name),
        name: `type ${name}`,
        perSecond,
      })),
    ],
    weights: new Map(row.weights.map(({ id, weight }) => [id, weight])),
  };
}
