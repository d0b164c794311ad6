import { cancelJob } from '@accepted/shared/database/cancel-jobs';
import { insertJobs } from '@accepted/shared/database/insert-jobs';
import { newUuid } from '@accepted/shared/job/id';
import { makeJob } from '@accepted/testing/factories';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

describe('insertJobs', () => {
  test('a job is queued, or scheduled when its time is still to come, by the clock of Postgres', async () => {
    const [now, later, past] = [
      makeJob(),
      makeJob({ delayMs: 60_000 }),
      makeJob({ runAt: new Date(Date.now() - 1_000) }),
    ];
    const inserted = await insertJobs(ledger.db, [now, later, past]);
    expect(inserted.map((entry) => (entry.kind === 'created' ? entry.row.status : entry.kind))).toEqual([
      'queued',
      'scheduled',
      'queued',
    ]);
    const stored = await ledger.readJob(now.id);
    expect(inserted[0]).toEqual({ kind: 'created', row: stored });
  });

  test('writing the same jobs twice writes them once', async () => {
    const jobs = [makeJob(), makeJob()];
    await insertJobs(ledger.db, jobs);
    const again = await insertJobs(ledger.db, jobs);
    expect(again.map((entry) => entry.kind)).toEqual(['created', 'created']);
    expect(await ledger.db.selectFrom('jobs').select('id').execute()).toHaveLength(2);
  });

  test('one key makes one job, in one batch and across batches at once', async () => {
    const tenantId = newUuid();
    const idempotency = { route: 'POST /v1/jobs', key: 'k', fingerprint: Buffer.from('same') };
    const batches = Array.from({ length: 8 }, () =>
      Array.from({ length: 5 }, () => makeJob({ tenantId, idempotency })),
    );
    const results = (await Promise.all(batches.map((batch) => insertJobs(ledger.db, batch)))).flat();
    expect(results.filter((entry) => entry.kind === 'created')).toHaveLength(1);
    expect(
      new Set(results.map((entry) => (entry.kind === 'keyReused' ? entry.kind : entry.row.id))).size,
    ).toBe(1);
    expect(await ledger.db.selectFrom('jobs').select('id').execute()).toHaveLength(1);
  });

  test('a key with another body is refused, another tenant may use it', async () => {
    const tenantId = newUuid();
    const key = { route: 'r', key: 'k' };
    const first = makeJob({ tenantId, idempotency: { ...key, fingerprint: Buffer.from('a') } });
    const other = makeJob({ tenantId, idempotency: { ...key, fingerprint: Buffer.from('b') } });
    const stranger = makeJob({ idempotency: { ...key, fingerprint: Buffer.from('b') } });
    const results = await insertJobs(ledger.db, [first, other, stranger]);
    expect(results.map((entry) => entry.kind)).toEqual(['created', 'keyReused', 'created']);
  });

  test('an expired key is free again, but not while its job is unfinished', async () => {
    const tenantId = newUuid();
    const submit = () =>
      makeJob({ tenantId, idempotency: { route: 'r', key: 'k', fingerprint: Buffer.from('a') } });
    const first = submit();
    await insertJobs(ledger.db, [first]);
    await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 hour'`.execute(ledger.db);
    expect(await insertJobs(ledger.db, [submit()])).toMatchObject([
      { kind: 'replayed', row: { id: first.id } },
    ]);
    await cancelJob(ledger.db, tenantId, first.id);
    expect(await insertJobs(ledger.db, [submit()])).toMatchObject([{ kind: 'created' }]);
  });
});
