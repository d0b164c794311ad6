import { sql, type Transaction } from 'kysely';
import { isTerminal, type JobStatus } from '../../core/job/status.ts';
import type { Ledger } from '../connection/tables.ts';
import { insertDeadLetters, type NewDeadLetter } from '../dead-letters/insert-dead-letters.ts';
import { insertDeliveries } from '../webhooks/insert-deliveries.ts';

/** A job that has just left the table it was in, and the status that it has now. */
export interface Finish {
  jobId: string;
  tenantId: string;
  status: JobStatus;
  /** What was put down when the job was accepted: whether anything is to be done at its end. */
  hasFollowers: boolean;
}

/**
 * Does what follows from the end of jobs, in the transaction that ends them: the end and all that it promises are
 * committed together. Every way to end a job comes through here. Jobs that are not finished pass, and those without
 * followers cost nothing. `deadLetters` are of those that failed.
 */
export async function afterFinish(
  tx: Transaction<Ledger>,
  finishes: Finish[],
  deadLetters: NewDeadLetter[] = [],
): Promise<void> {
  const finished = finishes.filter(({ status }) => isTerminal(status));
  await insertDeadLetters(tx, deadLetters);
  await insertDeliveries(
    tx,
    finished.filter(({ hasFollowers }) => hasFollowers),
  );
}

/**
 * Is done before a job is ended whose followers are looked at, or that is read again, in one transaction: whoever splits or
 * drops weeks takes `jobs` before `attempts`, so nobody who has written to `attempts` must wait for `jobs`.
 */
export async function holdJobs(tx: Transaction<Ledger>): Promise<void> {
  await sql`LOCK TABLE ONLY jobs IN ACCESS SHARE MODE`.execute(tx);
}
