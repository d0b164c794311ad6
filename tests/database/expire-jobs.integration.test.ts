import { expireJobs } from '@accepted/shared/database/cancel-jobs';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

test('jobs that nobody started in time expire, running ones do not', async () => {
  const running = await ledger.claimOne({ ttlMs: 60_000 });
  const waiting = await ledger.insertOne({ ttlMs: 60_000 });
  await sql`UPDATE jobs SET expires_at = now() WHERE expires_at IS NOT NULL`.execute(ledger.db);
  expect(await expireJobs(ledger.db, 100)).toEqual([waiting.id]);
  expect((await ledger.readJob(running.id)).status).toBe('running');
});
