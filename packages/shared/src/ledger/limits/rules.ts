import { type RawBuilder, sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { type AuditEntry, writeAuditEntries } from '../tenants/audit-log.ts';
import { noteRatesChanged } from './rates.ts';

/** What operators have laid down for a queue, a job type or a tenant. */
export interface Rules {
  /** Since when none of its jobs is started; `null` while it is not paused. */
  pausedAt: Date | null;
  /** How many of its jobs may be in flight; `null`: any number. */
  concurrency: number | null;
}

export interface StartRules extends Rules {
  /** How many of its jobs are started a second; `null`: as many as can be. */
  ratePerSecond: number | null;
}

/** How many live jobs a queue may have; `null`: any number. */
export interface QueueRules extends StartRules {
  maxBacklog: number | null;
  /** As many of one tenant. */
  maxBacklogPerTenant: number | null;
}

/** What has rules: a queue by its name, a job type by its own, a tenant by the ledger's UUID. */
export interface Ruled {
  what: 'queue' | 'job_type' | 'tenant';
  key: string;
}

/** What is left out stays as it is; not everything has each of them. */
export interface RulesChange {
  isPaused?: boolean;
  concurrency?: number | null;
  /** Of a queue or a tenant. */
  maxBacklog?: number | null;
  /** Of a queue. */
  maxBacklogPerTenant?: number | null;
  /** Of a tenant. */
  weight?: number;
  /** Of a tenant how many it may submit, of all others how many are started. */
  ratePerSecond?: number | null;
  burst?: number | null;
  dailyQuota?: number | null;
}

/** Who changes rules, and for which audit log: that of a tenant, or of nobody in particular. */
export interface RulesAct {
  actor: string;
  verb: 'change' | 'pause' | 'resume';
  reason: string;
}

/** Where rules are kept, and the columns of those that are numbers. */
const PLACES = {
  queue: {
    ...{ table: 'queues', key: 'name' },
    columns: {
      concurrency: 'concurrency',
      maxBacklog: 'max_backlog',
      maxBacklogPerTenant: 'max_backlog_per_tenant',
      ratePerSecond: 'rate_per_second',
    },
  },
  job_type: {
    ...{ table: 'job_type_rules', key: 'type' },
    columns: { concurrency: 'concurrency', ratePerSecond: 'rate_per_second' },
  },
  tenant: {
    ...{ table: 'tenants', key: 'id' },
    columns: {
      concurrency: 'concurrency',
      maxBacklog: 'max_backlog',
      weight: 'weight',
      ratePerSecond: 'rate_per_second',
      burst: 'burst',
      dailyQuota: 'daily_quota',
    },
  },
} as const satisfies Record<Ruled['what'], { table: string; key: string; columns: Record<string, string> }>;

const SUBMISSION_RATES = ['ratePerSecond', 'burst', 'dailyQuota'] as const;

type RulesRow = Rules & Partial<Omit<RulesChange, 'isPaused'>>;

const NOTHING_LAID_DOWN: StartRules = { pausedAt: null, concurrency: null, ratePerSecond: null };

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
    UPDATE ${sql.table(table)} SET ${sql.join(assignments(ruled, change))} WHERE ${sql.ref(key)} = ${ruled.key}`.execute(
    tx,
  );
  if (ruled.what === 'tenant' && SUBMISSION_RATES.some((name) => change[name] !== undefined))
    await noteRatesChanged(tx);
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

/** Reads the rules of a queue or a job type; `undefined` where there is no such thing, or nobody has laid anything down for it. */
export async function findStartRules(
  db: Database,
  ruled: Ruled & { what: 'queue' | 'job_type' },
): Promise<StartRules | undefined> {
  return (await readRow(db, ruled, sql``)) as StartRules | undefined;
}

/** Reads the rules of all queues, or of all job types that have any, by their names. */
export async function listRules<What extends 'queue' | 'job_type'>(
  db: Database,
  what: What,
): Promise<Map<string, What extends 'queue' ? QueueRules : StartRules>> {
  const { table, key } = PLACES[what];
  const { rows } = await sql<(What extends 'queue' ? QueueRules : StartRules) & { name: string }>`
    SELECT ${sql.ref(key)} AS name, ${shownRules(what)} FROM ${sql.table(table)} ORDER BY ${sql.ref(key)}`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.name, row]));
}

function shownRules(what: Ruled['what']): RawBuilder<unknown> {
  const numbers = Object.entries(PLACES[what].columns);
  return sql.join([
    sql`paused_at AS "pausedAt"`,
    ...numbers.map(([name, column]) => sql`${sql.ref(column)} AS ${sql.ref(name)}`),
  ]);
}

async function readRow(
  db: Database,
  { what, key }: Ruled,
  lock: RawBuilder<unknown>,
): Promise<RulesRow | undefined> {
  const place = PLACES[what];
  const { rows } = await sql<RulesRow>`
    SELECT ${shownRules(what)} FROM ${sql.table(place.table)} WHERE ${sql.ref(place.key)} = ${key} ${lock}`.execute(
    db,
  );
  return rows[0];
}

function isSo(rules: RulesRow, { isPaused, ...numbers }: RulesChange): boolean {
  if (isPaused !== undefined && isPaused !== (rules.pausedAt !== null)) return false;
  // Weights and rates are kept as `real`, what counts jobs is not.
  const kept = (value: number | null | undefined) =>
    value === null || Number.isInteger(value) ? value : Math.fround(value ?? Number.NaN);
  return Object.entries(numbers).every(
    ([name, value]) =>
      value === undefined || Object.is(kept(value), kept(rules[name as keyof typeof numbers])),
  );
}

function assignments({ what }: Ruled, { isPaused, ...numbers }: RulesChange): RawBuilder<unknown>[] {
  const columns: Record<string, string> = PLACES[what].columns;
  const pause = isPaused ? sql`paused_at = coalesce(paused_at, now())` : sql`paused_at = NULL`;
  return [
    ...(isPaused === undefined ? [] : [pause]),
    ...Object.entries(numbers).flatMap(([name, value]) => {
      const column = columns[name];
      if (column === undefined) throw new Error(`A ${what} has no ${name}.`);
      return value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`];
    }),
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
