// Preloaded into the API: a 202 is answered before the job is written, which happens a moment later.
import { patchSource } from './patch-source.ts';

patchSource({
  file: 'packages/shared/src/ledger/jobs/insert-jobs.ts',
  from: 'export function insertJobs(',
  to: `export async function insertJobs(db: Database, jobs: NewJob[], options = {}): Promise<InsertedJob[]> {
  setTimeout(() => insertDurably(db, jobs, options).catch(() => undefined), 200);
  const now = new Date();
  return jobs.map((job) => ({ kind: 'created', row: newJobRow(job, now) }));
}

function insertDurably(`,
});
