import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import { newUuid } from '@accepted/shared/core/job/id';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import { listOwnJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
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
    expect(inserted[0]).toEqual({ kind: 'created', row: await findJob(ledger.db, now.tenantId, now.id) });
  });

  test('every field is stored as it is answered', async () => {
    const job = makeJob({
      payloadJson: '{"a":[1,null,"\\"\\\\ {},"]}',
      priority: 0,
      backoff: { type: 'schedule', delaysMs: [1, 2], jitter: 'none' },
      runAt: new Date('2999-12-31T23:59:59.999Z'),
      ttlMs: 366 * 86_400_000,
      concurrencyKey: 'NULL',
      concurrencyLimit: 2,
      tags: ['{"', '\\', 'ä \t𝄞'],
      metadata: { nested: { list: [0.1, true, null] } },
      webhook: { url: 'https://example.com/', events: ['job.succeeded'] },
      copyOf: newUuid(),
      requestId: '',
      traceparent: 'a',
      tracestate: 'b',
    });
    const [inserted] = await insertJobs(ledger.db, [job, makeJob()]);
    const stored = await findJob(ledger.db, job.tenantId, job.id);
    expect(inserted).toEqual({ kind: 'created', row: stored });
    expect(stored).toMatchObject({
      priority: job.priority,
      backoff: job.backoff,
      run_at: job.runAt,
      concurrency_key: job.concurrencyKey,
      concurrency_limit: job.concurrencyLimit,
      tags: job.tags,
      metadata: job.metadata,
      webhook: job.webhook,
      copy_of: job.copyOf,
      request_id: job.requestId,
      traceparent: job.traceparent,
      tracestate: job.tracestate,
    });
  });

  test.each(['null', ' { "b" : 1.0e2, "a":12345678901234567890 } ', '"\\ud800 \\u0000 \\\\u0000"'])(
    'the payload %s is stored to the letter',
    async (payloadJson) => {
      const { id } = await ledger.insertOne({ payloadJson });
      const texts = ledger.db.selectFrom('current_jobs').select(sql<string>`payload::text`.as('text'));
      expect(await texts.where('id', '=', id).execute()).toEqual([{ text: payloadJson }]);
    },
  );

  test.each([
    { type: 'a\u0000' },
    { tags: ['\u0000'] },
    { metadata: { a: '\u0000' } },
    { payloadJson: '"\u0000"' },
    { payloadJson: '{' },
  ])('text that Postgres cannot hold is refused: %j', async (overrides) => {
    await expect(insertJobs(ledger.db, [makeJob(overrides)])).rejects.toMatchObject({
      code: expect.stringMatching(/^22/),
    });
  });

  test('batches of every size and make share the statements that are prepared for their kind', async () => {
    const key = () => ({ route: 'r', key: newUuid(), fingerprint: Buffer.from('a') });
    await ledger.db.connection().execute(async (db) => {
      await insertJobs(db, [makeJob()]);
      await insertJobs(db, [makeJob({ delayMs: 1, tags: ['a'] }), makeJob({ copyOf: newUuid() })]);
      await insertJobs(db, [makeJob({ idempotency: key() })]);
      await insertJobs(db, [makeJob(), makeJob({ idempotency: key() }), makeJob({ idempotency: key() })]);
      const { rows } = await sql<{ name: string }>`SELECT name FROM pg_prepared_statements
        WHERE name LIKE 'insert-%'`.execute(db);
      expect(rows.map(({ name }) => name).sort()).toEqual(['insert-jobs', 'insert-keyed-jobs']);
    });
  });

  test('writing the same jobs twice writes them once', async () => {
    const jobs = [makeJob(), makeJob()];
    await insertJobs(ledger.db, jobs);
    const again = await insertJobs(ledger.db, jobs);
    expect(again.map((entry) => entry.kind)).toEqual(['created', 'created']);
    expect(await ledger.db.selectFrom('current_jobs').select('id').execute()).toHaveLength(2);
  });

  test('jobs that were written before, some of them under a key, are found beside new ones, in order', async () => {
    const idempotency = { route: 'r', key: newUuid(), fingerprint: Buffer.from('a') };
    const before = [makeJob(), makeJob({ idempotency })];
    await insertJobs(ledger.db, before);
    const jobs = [makeJob(), ...before, makeJob()];
    const inserted = await insertJobs(ledger.db, jobs);
    expect(inserted).toMatchObject(jobs.map(({ id }) => ({ kind: 'created', row: { id } })));
    expect(await ledger.db.selectFrom('ready').select('job_id').execute()).toHaveLength(4);
  });

  test('how jobs wait between attempts is written down where it is not as usual, and told either way', async () => {
    const fixed = { type: 'fixed', delayMs: 5, jitter: 'none' } as const;
    const jobs = [makeJob({ backoff: DEFAULT_BACKOFF }), makeJob({ backoff: fixed })];
    await insertJobs(ledger.db, jobs);
    const rows = await ledger.db.selectFrom('jobs').select('backoff').orderBy('id').execute();
    expect(rows).toEqual([{ backoff: null }, { backoff: fixed }]);
    const { jobs: dispatched } = await dispatchJobs(ledger.db, 'default', testLane(2));
    const claimed = await claimJobs(ledger.db, ledger.workerId, dispatched);
    expect(claimed.map((job) => job?.backoff)).toEqual([DEFAULT_BACKOFF, fixed]);
    const own = await listOwnJobs(ledger.db, ledger.workerId);
    expect(own.map(({ backoff }) => backoff)).toEqual([DEFAULT_BACKOFF, fixed]);
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
    expect(await ledger.db.selectFrom('current_jobs').select('id').execute()).toHaveLength(1);
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

  test('an expired key is free when its job was let go of', async () => {
    const tenantId = newUuid();
    const idempotency = { route: 'r', key: 'k', fingerprint: Buffer.from('a') };
    await insertJobs(ledger.db, [makeJob({ tenantId, idempotency })]);
    await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 hour'`.execute(ledger.db);
    await sql`TRUNCATE jobs, ready, blocked, due, in_flight, payload_revisions, ready`.execute(ledger.db);
    expect(await insertJobs(ledger.db, [makeJob({ tenantId, idempotency })])).toMatchObject([
      { kind: 'created' },
    ]);
  });
});
