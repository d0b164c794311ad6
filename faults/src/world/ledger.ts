import { setTimeout as delay } from 'node:timers/promises';
import { publicId } from '@accepted/shared/core/job/id';
import { JOB_STATUSES, TERMINAL_STATUSES, TRANSITIONS } from '@accepted/shared/core/job/status';
import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { sql } from 'kysely';
import type { WipeLine } from '../logs.ts';

/** The suite's own view of the ledger, past every proxy. */
export interface LedgerView {
  /** Asks until there is an answer, as Postgres is one of the things that are broken here; throws after a minute. */
  ask<T>(question: (db: Database) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const PATIENCE_MS = 60_000;
const ASK_AGAIN_MS = 200;

export function openLedgerView(databaseUrl: string): LedgerView {
  const db = openDatabase(
    {
      url: databaseUrl,
      applicationName: 'faults',
      maxConnections: 6,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 30_000,
    },
    () => undefined,
  );
  return {
    async ask(question) {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        try {
          return await question(db);
        } catch (error) {
          if (performance.now() > deadline) throw error;
          await delay(ASK_AGAIN_MS);
        }
      }
    },
    close: () => db.destroy(),
  };
}

/**
 * Has the ledger write down, from now on, every transition that is not legal or leaves a terminal status, every
 * fencing token that goes back, every second end of a job and every job that is deleted. What is legal costs next to nothing.
 * The functions write as their owner: the role that the API acts under for a tenant may not.
 */
export async function watchTransitions(db: Database): Promise<void> {
  const steps = JOB_STATUSES.flatMap((from) =>
    Object.values(TRANSITIONS[from]).map((to) => ({ from, to, isFinal: isTerminalName(from) })),
  );
  const ordinary = steps.filter(({ isFinal }) => !isFinal).map(({ from, to }) => `'${from} ${to}'`);
  const statements = [
    `CREATE TABLE faults_transitions (at timestamptz NOT NULL DEFAULT clock_timestamp(), job_id uuid NOT NULL,
       from_status text NOT NULL, to_status text NOT NULL)`,
    `CREATE FUNCTION faults_note_status() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       INSERT INTO faults_transitions (job_id, from_status, to_status) VALUES (OLD.id, OLD.status, NEW.status);
       RETURN NULL; END $$`,
    `CREATE FUNCTION faults_note_token() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       INSERT INTO faults_transitions (job_id, from_status, to_status)
       VALUES (OLD.id, 'attempt ' || OLD.attempt, 'attempt ' || NEW.attempt); RETURN NULL; END $$`,
    `CREATE FUNCTION faults_note_deletion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       INSERT INTO faults_transitions (job_id, from_status, to_status) VALUES (OLD.id, OLD.status, 'deleted');
       RETURN NULL; END $$`,
    `CREATE TRIGGER faults_status AFTER UPDATE ON jobs FOR EACH ROW
       WHEN (OLD.status <> NEW.status AND (OLD.status || ' ' || NEW.status) NOT IN (${ordinary.join(', ')}))
       EXECUTE FUNCTION faults_note_status()`,
    `CREATE TRIGGER faults_end AFTER UPDATE ON jobs FOR EACH ROW
       WHEN (OLD.finished_at <> NEW.finished_at) EXECUTE FUNCTION faults_note_status()`,
    `CREATE TRIGGER faults_token AFTER UPDATE ON jobs FOR EACH ROW WHEN (NEW.attempt < OLD.attempt)
       EXECUTE FUNCTION faults_note_token()`,
    `CREATE TRIGGER faults_deletion AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION faults_note_deletion()`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** Has the ledger write down, from now on, when each lease of a worker process began, and how it ended. */
export async function watchLeases(db: Database): Promise<void> {
  const statements = [
    `CREATE TABLE faults_leases (at timestamptz NOT NULL DEFAULT clock_timestamp(), worker_id uuid NOT NULL,
       pid integer NOT NULL, event text NOT NULL)`,
    `CREATE FUNCTION faults_note_lease() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       INSERT INTO faults_leases (worker_id, pid, event)
       VALUES (coalesce(NEW.id, OLD.id), coalesce(NEW.pid, OLD.pid), TG_ARGV[0]); RETURN NULL; END $$`,
    `CREATE TRIGGER faults_lease_began AFTER INSERT ON workers FOR EACH ROW
       EXECUTE FUNCTION faults_note_lease('began')`,
    `CREATE TRIGGER faults_lease_lost AFTER UPDATE ON workers FOR EACH ROW
       WHEN (OLD.lost_at IS NULL AND NEW.lost_at IS NOT NULL) EXECUTE FUNCTION faults_note_lease('lost')`,
    `CREATE TRIGGER faults_lease_released AFTER DELETE ON workers FOR EACH ROW WHEN (OLD.lost_at IS NULL)
       EXECUTE FUNCTION faults_note_lease('released')`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

function isTerminalName(status: string): boolean {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** Counts the jobs that have ended, and those that have not. */
export async function countJobs(db: Database): Promise<{ ended: number; open: number }> {
  const { rows } = await sql<{ ended: number; open: number }>`
    SELECT count(*) FILTER (WHERE status IN (${sql.join([...TERMINAL_STATUSES])}))::int AS ended,
           count(*) FILTER (WHERE status NOT IN (${sql.join([...TERMINAL_STATUSES])}))::int AS open
    FROM jobs`.execute(db);
  return rows[0] ?? { ended: 0, open: 0 };
}

/** Lists what waits in the engine, as the ledger believes, and is not just being claimed. */
export async function listInEngine(db: Database): Promise<WipeLine['jobs']> {
  const rows = await db
    .selectFrom('jobs')
    .select(['id', 'dispatch_no', 'attempt'])
    .where('status', '=', 'queued')
    .where('dispatched_at', 'is not', null)
    .forShare()
    .skipLocked()
    .execute();
  return rows.map((row) => ({
    jobId: publicId('job', row.id),
    dispatchNo: row.dispatch_no,
    attempt: row.attempt,
  }));
}

/** Makes the deliveries due that wait for a retry: their schedule goes on for days, which a run does not. */
export async function hurryDeliveries(db: Database): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ run_at: sql`now()` })
    .where('type', '=', DELIVERY_TYPE)
    .where('status', '=', 'retrying')
    .where('run_at', '>', sql<Date>`now()`)
    .execute();
}
