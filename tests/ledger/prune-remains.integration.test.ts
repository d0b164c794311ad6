import { newUuid } from '@accepted/shared/core/job/id';
import { actOnce } from '@accepted/shared/ledger/jobs/idempotency-keys';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import {
  deleteExpiredKeys,
  deleteFinishedBulkReplays,
  deleteOldDeliveryLinks,
  deleteResolvedDeadLetters,
  type KeyPosition,
} from '@accepted/shared/ledger/retention/prune-remains';
import { linkDeliveries } from '@accepted/shared/ledger/webhooks/webhook-deliveries';
import { makeJob } from '@accepted/testing/factories';
import { finishJobs } from '@accepted/testing/move-jobs';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';
import { RETENTION_DAYS, writeDeadLetter, writeJob } from './old-partition.ts';

const ledger = useLedger();

test('an idempotency key is deleted once it is over and its job finished or gone', async () => {
  const [waiting, done, gone, young] = ['waiting', 'done', 'gone', 'young'].map((key) =>
    makeJob({ idempotency: { route: 'POST /v1/jobs', key, fingerprint: Buffer.alloc(32) } }),
  );
  if (!waiting || !done || !gone || !young) throw new Error('Four jobs were to be made.');
  await insertJobs(ledger.db, [waiting, done, gone, young]);
  await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE key <> 'young'`.execute(
    ledger.db,
  );
  for (const id of [done.id, young.id]) await finishJobs(ledger.db, { which: sql`job_id = ${id}` });
  await finishJobs(ledger.db, { which: sql`job_id = ${gone.id}` });
  await sql`DELETE FROM jobs WHERE id = ${gone.id}`.execute(ledger.db);

  const deleted: number[] = [];
  let next: KeyPosition | undefined;
  do {
    const page = await deleteExpiredKeys(ledger.db, 1, next);
    deleted.push(page.deleted);
    next = page.next;
  } while (next);
  // All three expired at once, and are looked at one by one, the one that lasts once as well; then there is none.
  expect(deleted.sort()).toEqual([0, 0, 1, 1]);
  expect(await deleteExpiredKeys(ledger.db, 10)).toEqual({ deleted: 0, next: undefined });

  const { rows } = await sql<{ key: string }>`SELECT key FROM idempotency_keys ORDER BY key`.execute(
    ledger.db,
  );
  expect(rows.map(({ key }) => key)).toEqual(['waiting', 'young']);
  const again = { ...gone, id: newUuid() };
  expect(await insertJobs(ledger.db, [again])).toMatchObject([{ kind: 'created' }]);
});

test('an idempotency key that stands for an answer is deleted once it is over', async () => {
  const tenantId = newUuid();
  for (const key of ['over', 'young']) {
    const requestKey = { route: 'POST /v1/api-keys', key, fingerprint: Buffer.alloc(32) };
    const done = { status: 201, made: 'thing' };
    const act = { tenantId, requestKey, act: async () => done, keep: (made: string) => made };
    expect(await actOnce(ledger.db, act)).toEqual({ kind: 'done', ...done });
  }
  await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE key = 'over'`.execute(
    ledger.db,
  );
  expect(await deleteExpiredKeys(ledger.db, 10)).toEqual({ deleted: 1, next: undefined });
  const { rows } = await sql<{ key: string }>`SELECT key FROM idempotency_keys`.execute(ledger.db);
  expect(rows).toEqual([{ key: 'young' }]);
});

test('what leads to a delivery is deleted when that is gone, and long enough ago that its week is', async () => {
  const [there, gone, young] = [newUuid(), newUuid(), newUuid()];
  const tenantId = newUuid();
  await writeJob(ledger.db, there, { tenantId });
  const link = { jobId: newUuid(), tenantId, event: 'job.failed' };
  const links = [there, gone, young].map((deliveryId) => ({ ...link, deliveryId }));
  await ledger.db.transaction().execute((tx) => linkDeliveries(tx, links));
  await sql`UPDATE webhook_deliveries SET created_at = now() - ${RETENTION_DAYS + 9} * interval '1 day'
    WHERE delivery_id <> ${young}`.execute(ledger.db);

  expect(await deleteOldDeliveryLinks(ledger.db, RETENTION_DAYS, 10)).toBe(1);
  expect(await deleteOldDeliveryLinks(ledger.db, RETENTION_DAYS, 10)).toBe(0);
  const rows = await ledger.db.selectFrom('webhook_deliveries').select('delivery_id').execute();
  expect(rows.map((row) => row.delivery_id).sort()).toEqual([there, young].sort());
});

test('a dead letter is deleted with the payload that its replay brought when it was resolved long ago and its job is gone', async () => {
  const there = newUuid();
  await writeJob(ledger.db, there);
  const long = { resolution: 'replayed', resolvedDaysAgo: RETENTION_DAYS + 1 } as const;
  const gone = await writeDeadLetter(ledger.db, newUuid(), long);
  const kept = [
    await writeDeadLetter(ledger.db, there, long),
    await writeDeadLetter(ledger.db, newUuid(), { ...long, resolvedDaysAgo: RETENTION_DAYS - 1 }),
    await writeDeadLetter(ledger.db, newUuid()),
  ];
  const shown = await writeDeadLetter(ledger.db, newUuid(), long);
  await sql`UPDATE dead_letters SET mirrored_at = now() WHERE id = ${shown}`.execute(ledger.db);
  await sql`INSERT INTO payload_revisions (job_id, revision, tenant_id, dead_letter_id, payload, refused_by, actor)
    SELECT job_id, 1, tenant_id, id, '{}', '{}', 'test' FROM dead_letters WHERE id IN (${gone}, ${shown})`.execute(
    ledger.db,
  );

  expect(await deleteResolvedDeadLetters(ledger.db, RETENTION_DAYS, 10)).toBe(1);

  const letters = await sql<{ id: string }>`SELECT id FROM dead_letters`.execute(ledger.db);
  expect(letters.rows.map(({ id }) => id).sort()).toEqual([...kept, shown].sort());
  const revisions = await sql`SELECT dead_letter_id FROM payload_revisions`.execute(ledger.db);
  expect(revisions.rows).toEqual([{ dead_letter_id: shown }]);
});

test('a bulk replay is deleted with its items when it finished long ago', async () => {
  const ends = [RETENTION_DAYS + 1, RETENTION_DAYS - 1, null];
  for (const daysAgo of ends) {
    const id = newUuid();
    await sql`INSERT INTO bulk_replays (id, tenant_id, actor, reason, selection, canary, status, matched, limited, finished_at)
      VALUES (${id}, ${newUuid()}, 'test', 'test', '{}', 0, 'completed', 1, false,
        now() - ${daysAgo}::float8 * interval '1 day')`.execute(ledger.db);
    await sql`INSERT INTO bulk_replay_items (bulk_replay_id, dead_letter_id, tenant_id)
      VALUES (${id}, ${newUuid()}, ${newUuid()})`.execute(ledger.db);
  }

  expect(await deleteFinishedBulkReplays(ledger.db, RETENTION_DAYS, 10)).toBe(1);

  expect((await sql`SELECT FROM bulk_replay_items`.execute(ledger.db)).rows).toHaveLength(2);
});
