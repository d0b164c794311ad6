import { type RawBuilder, sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { type AuditEntry, writeAuditEntries } from '../tenants/audit-log.ts';

/** What operators have laid down for a queue, a job type or a tenant. */
export interface Rules {
  /** Since when none of its jobs is started; `null` while it is not paused. */
  pausedAt: Date | null;
  /** How many of its jobs may be in flight; `null`: any number. */
  concurrency: number | null;
}

/** What has rules: a queue by its name, a job type by its own, a tenant by the ledger's UUID. */
export interface Ruled {
  what: 'queue' | 'job_type' | 'tenant';
  key: string;
}

/** What is left out stays as it is; only tenants have a weight. */
export interface RulesChange {
  isPaused?: boolean;
  concurrency?: number | null;
  weight?: number;
}

/** Who changes rules, and for which audit log: that of a tenant, or of nobody in particular. */
export interface RulesAct {
  actor: string;
  verb: 'change' | 'pause' | 'resume';
  reason: string;
}

const PLACES = {
  queue: { table: 'queues', key: 'name', hasWeight: false },
  job_type: { table: 'job_type_rules', key: 'type', hasWeight: false },
  tenant: { table: 'tenants', key: 'id', hasWeight: true },
} as const;

type RulesRow = Rules & { weight?: number };

const NOTHING_LAID_DOWN: Rules = { pausedAt: null, concurrency: null };

/**
 * Changes rules in the operator's transaction, and writes down who did; what is so already leaves no trace. Dispatchers read them
 * anew within a second. Answers the rules as they are then; `undefined` where there is no such thing.
 */
export async function changeRules(
  tx: Transaction<Ledger>,
  ruled: Ruled,
  change: RulesChange,
  act: RulesAct,
): Promise<Rules | undefined> {
  if (ruled.what === 'job_type') await makeRow(tx, ruled.key, change);
  const isType = ruled.what === 'job_type';
  const before =
    (await readRow(tx, ruled, sql`FOR NO KEY UPDATE`)) ?? (isType ? NOTHING_LAID_DOWN : undefined);
  if (!before || isSo(before, change)) return before;
  const { table, key } = PLACES[ruled.what];
  await sql`
    UPDATE ${sql.table(table)} SET ${sql.join(assignments(change))} WHERE ${sql.ref(key)} = ${ruled.key}`.execute(
    tx,
  );
  const after = await readRow(tx, ruled, sql``);
  await writeAuditEntries(tx, [entryOf(ruled, act, before, after)]);
  return after;
}

/** A job type has a row once something is laid down for it. */
async function makeRow(tx: Transaction<Ledger>, type: string, change: RulesChange): Promise<void> {
  if (isSo(NOTHING_LAID_DOWN, change)) return;
  const row = tx.insertInto('job_type_rules').values({ type });
  await row.onConflict((conflict) => conflict.doNothing()).execute();
}

/** Reads the rules of one; `undefined` where there is no such thing, or nobody has laid anything down for it. */
export async function findRules(db: Database, ruled: Ruled): Promise<Rules | undefined> {
  return await readRow(db, ruled, sql``);
}

/** Reads the rules of all queues, or of all job types that have any, by their names. */
export async function listRules(db: Database, what: 'queue' | 'job_type'): Promise<Map<string, Rules>> {
  const { table, key } = PLACES[what];
  const { rows } = await sql<Rules & { name: string }>`
    SELECT ${sql.ref(key)} AS name, paused_at AS "pausedAt", concurrency FROM ${sql.table(table)}
    ORDER BY ${sql.ref(key)}`.execute(db);
  return new Map(rows.map(({ name, ...rules }) => [name, rules]));
}

async function readRow(
  db: Database,
  { what, key }: Ruled,
  lock: RawBuilder<unknown>,
): Promise<RulesRow | undefined> {
  const place = PLACES[what];
  const { rows } = await sql<RulesRow>`
    SELECT paused_at AS "pausedAt", concurrency${place.hasWeight ? sql`, weight` : sql``}
    FROM ${sql.table(place.table)} WHERE ${sql.ref(place.key)} = ${key} ${lock}`.execute(db);
  return rows[0];
}

function isSo(rules: RulesRow, { isPaused, concurrency, weight }: RulesChange): boolean {
  return (
    (isPaused ?? rules.pausedAt !== null) === (rules.pausedAt !== null) &&
    (concurrency === undefined || concurrency === rules.concurrency) &&
    // The column is a `real`.
    (weight === undefined || Math.fround(weight) === Math.fround(rules.weight ?? Number.NaN))
  );
}

function assignments({ isPaused, concurrency, weight }: RulesChange): RawBuilder<unknown>[] {
  return [
    ...(isPaused === undefined
      ? []
      : [isPaused ? sql`paused_at = coalesce(paused_at, now())` : sql`paused_at = NULL`]),
    ...(concurrency === undefined ? [] : [sql`concurrency = ${concurrency}`]),
    ...(weight === undefined ? [] : [sql`weight = ${weight}`]),
  ];
}

function entryOf(
  { what, key }: Ruled,
  { actor, verb, reason }: RulesAct,
  before: RulesRow,
  after: RulesRow | undefined,
): AuditEntry {
  return {
    tenantId: what === 'tenant' ? key : null,
    actor,
    action: `${what}.${verb}`,
    target: what === 'tenant' ? publicId('tenant', key) : key,
    detail: { reason, before, after },
  };
}
