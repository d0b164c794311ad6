import type { JobStatus } from '@accepted/shared/core/job/status';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { sql } from 'kysely';

/** Finds the lease of a worker process that runs a job which takes a while; `undefined` when it runs none. */
export async function findLeaseWithSlowJob(db: Database, pid: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('in_flight')
    .innerJoin('workers', 'workers.id', 'in_flight.worker_id')
    .innerJoin('jobs', 'jobs.id', 'in_flight.job_id')
    .select('workers.id')
    .where('workers.pid', '=', pid)
    .where('workers.lost_at', 'is', null)
    .where(sql<number>`(jobs.payload ->> 'workMs')::int`, '>=', 500)
    .executeTakeFirst();
  return row?.id;
}

/** Finds the lease under which a job runs, or last ran. */
export async function findLeaseOfJob(db: Database, jobId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('in_flight')
    .select('worker_id')
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  return row?.worker_id ?? undefined;
}

/** Whether all of these jobs run at this moment. */
export async function areRunning(db: Database, jobIds: string[]): Promise<boolean> {
  return (await statusesOf(db, jobIds)).every((status) => status === 'running');
}

export async function statusesOf(db: Database, jobIds: string[]): Promise<JobStatus[]> {
  const rows = await db.selectFrom('current_jobs').select('status').where('id', 'in', jobIds).execute();
  return rows.map(({ status }) => status);
}

/** Whether one of these jobs was taken from its worker and given back, uncounted. */
export async function wasGivenBack(db: Database, jobIds: string[]): Promise<boolean> {
  const attempts = db.selectFrom('attempts').select('job_id').where('job_id', 'in', jobIds);
  return (await attempts.where('outcome', '=', 'released').executeTakeFirst()) !== undefined;
}

export async function isLeaseLost(db: Database, workerId: string): Promise<boolean> {
  const row = await db.selectFrom('workers').select('lost_at').where('id', '=', workerId).executeTakeFirst();
  return row?.lost_at != null;
}

/** Whether all that these processes ran has been taken from them. */
export async function haveNoJobs(db: Database, pids: number[]): Promise<boolean> {
  const running = db
    .selectFrom('in_flight')
    .innerJoin('workers', 'workers.id', 'in_flight.worker_id')
    .select('in_flight.job_id');
  const held = running.where('workers.pid', 'in', pids);
  return (await held.executeTakeFirst()) === undefined;
}

/** Tells how long ago, by the clock of Postgres, a process has sent its last heartbeat. */
export async function silentForMs(db: Database, pid: number): Promise<number> {
  const row = await db
    .selectFrom('workers')
    .select(sql<number>`(extract(epoch FROM now() - max(heartbeat_at)) * 1000)::float8`.as('ms'))
    .where('pid', '=', pid)
    .executeTakeFirst();
  return row?.ms ?? 0;
}

/** Lists the processes that run jobs just now. */
export async function listBusyPids(db: Database): Promise<number[]> {
  const rows = await db
    .selectFrom('in_flight')
    .innerJoin('workers', 'workers.id', 'in_flight.worker_id')
    .select('workers.pid')
    .distinct()
    .execute();
  return rows.map(({ pid }) => pid);
}

/** Lists the processes that have services whose names begin so. */
export async function listHolderPids(db: Database, service: string): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`
    SELECT DISTINCT pid FROM services JOIN workers ON workers.id = holder
    WHERE starts_with(name, ${service}) AND expires_at > now()`.execute(db);
  return rows.map(({ pid }) => pid);
}
