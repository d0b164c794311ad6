import { setTimeout as delay } from 'node:timers/promises';
import { publicId } from '@accepted/shared/core/job/id';
import { TERMINAL_STATUSES } from '@accepted/shared/core/job/status';
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
 * Has the ledger write down, from now on, every job that leaves a terminal status, lawfully by a replay or not, every second
 * end, every fencing token that goes back, every claim of a job that runs, and every job that is deleted. The functions
 * write as their owner: the role that the API acts under for a tenant may not.
 */
export async function watchTransitions(db: Database): Promise<void> {
  const statements = [
    `CREATE TABLE faults_transitions (at timestamptz NOT NULL DEFAULT clock_timestamp(), job_id uuid NOT NULL,
       from_status text NOT NULL, to_status text NOT NULL)`,
    `CREATE FUNCTION faults_note(job_id uuid, from_status text, to_status text) RETURNS void LANGUAGE sql SECURITY DEFINER AS
       $$ INSERT INTO faults_transitions VALUES (DEFAULT, job_id, from_status, to_status) $$`,
    `CREATE FUNCTION faults_last_end(of_tenant uuid, of_job uuid, before integer) RETURNS attempts LANGUAGE sql STABLE
       SECURITY DEFINER AS $$ SELECT * FROM attempts WHERE tenant_id = of_tenant AND job_id = of_job AND version < before
       ORDER BY version DESC LIMIT 1 $$`,
    // A replay leaves the number of the last dispatch; who is taken back from the engine has a later one.
    `CREATE FUNCTION faults_note_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       DECLARE last attempts; BEGIN
       IF NEW.version = 1 THEN RETURN NULL; END IF;
       last := faults_last_end(NEW.tenant_id, NEW.job_id, NEW.version + 1);
       IF NEW.attempt < last.attempt THEN
         PERFORM faults_note(NEW.job_id, 'attempt ' || last.attempt, 'attempt ' || NEW.attempt); END IF;
       IF last.status IN (${TERMINAL}) AND (NEW.replay_round <> last.replay_round + 1
           OR (TG_TABLE_NAME = 'ready' AND NEW.dispatch_no = last.dispatch_no)) THEN
         PERFORM faults_note(NEW.job_id, last.status, 'queued'); END IF;
       RETURN NULL; END $$`,
    `CREATE FUNCTION faults_note_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       DECLARE last attempts; BEGIN
       last := faults_last_end(NEW.tenant_id, NEW.job_id, NEW.version);
       IF NEW.attempt < last.attempt THEN
         PERFORM faults_note(NEW.job_id, 'attempt ' || last.attempt, 'attempt ' || NEW.attempt); END IF;
       IF (last.status IN (${TERMINAL}) AND last.replay_round >= NEW.replay_round)
           OR (NEW.status = 'expired' AND NEW.attempt > 0) THEN
         PERFORM faults_note(NEW.job_id, coalesce(last.status, 'running'), NEW.status); END IF;
       RETURN NULL; END $$`,
    `CREATE FUNCTION faults_note_flight() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       IF NEW.attempt < OLD.attempt THEN
         PERFORM faults_note(NEW.job_id, 'attempt ' || OLD.attempt, 'attempt ' || NEW.attempt);
       ELSE PERFORM faults_note(NEW.job_id, 'running', 'running'); END IF;
       RETURN NULL; END $$`,
    `CREATE FUNCTION faults_note_deletion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
       PERFORM faults_note(OLD.id, 'accepted', 'deleted'); RETURN NULL; END $$`,
    ...['ready', 'blocked', 'due', 'in_flight'].map(
      (table) =>
        `CREATE TRIGGER faults_place AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION faults_note_place()`,
    ),
    `CREATE TRIGGER faults_end AFTER INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION faults_note_end()`,
    `CREATE TRIGGER faults_flight AFTER UPDATE ON in_flight FOR EACH ROW
       WHEN (NEW.attempt < OLD.attempt OR OLD.worker_id <> NEW.worker_id) EXECUTE FUNCTION faults_note_flight()`,
    `CREATE TRIGGER faults_deletion AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION faults_note_deletion()`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const TERMINAL = TERMINAL_STATUSES.map((status) => `'${status}'`).join(', ');

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

/** Counts the jobs that have ended, and those that have not. */
export async function countJobs(db: Database): Promise<{ ended: number; open: number }> {
  const { rows } = await sql<{ ended: number; open: number }>`
    SELECT (jobs.number - live.number)::int AS ended, live.number::int AS open
    FROM (SELECT count(*) AS number FROM jobs) AS jobs, (
      SELECT (SELECT count(*) FROM ready) + (SELECT count(*) FROM blocked) + (SELECT count(*) FROM due) + (SELECT count(*) FROM in_flight) AS number
    ) AS live`.execute(db);
  return rows[0] ?? { ended: 0, open: 0 };
}

/** Lists what waits in the engine, as the ledger believes, and is not just being claimed. */
export async function listInEngine(db: Database): Promise<WipeLine['jobs']> {
  const rows = await db
    .selectFrom('in_flight')
    .select(['job_id', 'dispatch_no', 'attempt'])
    .where('worker_id', 'is', null)
    .forShare()
    .skipLocked()
    .execute();
  return rows.map((row) => ({
    jobId: publicId('job', row.job_id),
    dispatchNo: row.dispatch_no,
    attempt: row.attempt,
  }));
}

/** Makes the deliveries due that wait for a retry: their schedule goes on for days, which a run does not. */
export async function hurryDeliveries(db: Database): Promise<void> {
  await db
    .updateTable('due')
    .set({ run_at: sql`now()` })
    .where('type', '=', DELIVERY_TYPE)
    .where('status', '=', 'retrying')
    .where('run_at', '>', sql<Date>`now()`)
    .execute();
}
