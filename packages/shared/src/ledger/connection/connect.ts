import { Kysely, type TransactionBuilder } from 'kysely';
import pg from 'pg';
import { parseExactly } from '../../core/json/exact-numbers.ts';
import { isConflict, retryConflicts } from './retry-conflicts.ts';
import { withSettings } from './session-settings.ts';
import { SettledClient } from './settled-client.ts';
import type { Ledger } from './tables.ts';
import { TenantDialect } from './tenant-dialect.ts';
import { type ConnectionCounts, WatchedPool } from './watched-pool.ts';

export type Database = Kysely<Ledger>;

export interface DatabaseOptions {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  maxConnections: number;
  /** How long a connect, or a wait for a free connection, may take. */
  connectTimeoutMs: number;
  /** How long one statement may take, measured by the server and, a second later, by us. */
  statementTimeoutMs: number;
  /**
   * For those whose every statement goes through an index and ends after a batch: has the server plan nothing else, and
   * keep the plan of a prepared statement. Left to itself it plans most of ours anew each time, because it knows the
   * batch then: for a batch of one that takes six times as long as running it, and more the larger the ledger is. A plan
   * that was made while a table was empty must not scan it when it is large, hence the indexes; each statement must
   * have one to go through. What a partial index asks for must stand in the text.
   */
  indexPlansOnly?: boolean;
  /** Has statements go out before those before them are answered, where nobody needs the answer for that. */
  pipeline?: boolean;
}

const INDEX_PLANS_ONLY = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/**
 * Opens a pool of connections to the ledger; nothing connects before the first query. `db.destroy()` ends it.
 *
 * A connection that the server closes must not end the process, so `onConnectionError` is told instead.
 */
export function openDatabase(options: DatabaseOptions, onConnectionError: (error: Error) => void): Database {
  const { pipeline = false } = options;
  const pool = new WatchedPool({
    Client: SettledClient,
    connectionString: withSettings(options.url, options.indexPlansOnly ? INDEX_PLANS_ONLY : {}),
    application_name: options.applicationName,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + 1_000,
    // A process that is frozen in a transaction must not hold its locks for long.
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    types: { getTypeParser },
    pipeline,
  });
  tellConnectionErrors(pool, onConnectionError);
  const db = new PersistentKysely({ dialect: new TenantDialect({ pool, pipeline }) });
  poolOf.set(db, pool);
  return db;
}

const poolOf = new WeakMap<Database, WatchedPool>();

/**
 * Has somebody told how long is waited for each connection of what `openDatabase` answered; the answer counts them. Of what was made of
 * that with a plugin nothing is told.
 */
export function watchConnections(db: Database, onWaited: (ms: number) => void): () => ConnectionCounts {
  const pool = poolOf.get(db);
  if (pool) pool.onWaited = onWaited;
  return () => pool?.counts() ?? { busy: 0, idle: 0, waiting: 0 };
}

/** Does a transaction that was taken back because of another one again, from its beginning. */
class PersistentKysely extends Kysely<Ledger> {
  override transaction(): TransactionBuilder<Ledger> {
    const builder = super.transaction();
    const execute = builder.execute.bind(builder);
    builder.execute = (work) => retryConflicts(() => execute(work));
    return builder;
  }
}

const { JSON: JSON_OID, JSONB: JSONB_OID, TIMESTAMPTZ: TIME_OID } = pg.types.builtins;

/** Reads as pg does, but JSON with every digit of its numbers: what clients gave is what they get back. */
const getTypeParser: typeof pg.types.getTypeParser = (oid, format) => {
  const isJson = oid === JSON_OID || oid === JSONB_OID;
  if (isJson && format !== 'binary') return parseExactly;
  return oid === TIME_OID && format !== 'binary' ? parseTime : pg.types.getTypeParser(oid, format);
};

/** A time as all of ours are written, which JavaScript reads in half the time that pg takes. */
const USUAL_TIME = /^[1-9]\d{3}-.{14,21}\+00$/;
const parseAnyTime = pg.types.getTypeParser(TIME_OID);

function parseTime(text: string): Date {
  return USUAL_TIME.test(text) ? new Date(text) : parseAnyTime(text);
}

/**
 * Has somebody told of every connection that breaks. The pool itself listens to idle ones only: one that breaks while
 * it is checked out, between two statements of a transaction, would end the process with an unhandled 'error' event.
 */
export function tellConnectionErrors(pool: pg.Pool, onConnectionError: (error: Error) => void): void {
  pool.on('error', onConnectionError);
  pool.on('connect', (client) => client.on('error', onConnectionError));
}

/** PostgreSQL error classes that mean "the server is not there", not "the statement is wrong" (Appendix A of its manual). */
const UNAVAILABLE = /^(08...|57P0[123]|57014|53[0-9]{3}|55P03|25006)$/;
const SOCKET_FAULT = /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST)/;
const DRIVER_FAULT = /timeout|terminated|Connection ended|not queryable|has been closed/i;

/** Tells whether an error says that Postgres cannot be reached or cannot serve just now. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (UNAVAILABLE.test(code) || SOCKET_FAULT.test(code) || isConflict(error)) return true;
  return code === '' && DRIVER_FAULT.test(error.message);
}

/** How a statement ends that the server, or else the driver, gave up for the time that it took. */
const STATEMENT_TOO_SLOW = '57014';
const ANSWER_TOO_SLOW = 'Query read timeout';

/** Tells whether a statement was given up for the time that it took: a smaller one might end in time. */
export function isStatementTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === STATEMENT_TOO_SLOW) || error.message === ANSWER_TOO_SLOW;
}
