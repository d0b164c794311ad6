import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { readFlightsSince } from '@accepted/shared/ledger/jobs/flights-since';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { type DispatchedJob, takeLimitedJobs } from '@accepted/shared/ledger/jobs/take-jobs';
import { makeJob } from '@accepted/testing/factories';
import { TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const tenantId = newUuid();
/** More than a dispatcher takes until it looks anew from when on there are flights. */
const TURNS = 250;

async function fly(concurrencyKey: string, queue = 'default', picture?: QueuePicture) {
  await insertJobs(ledger.db, [makeJob({ tenantId, concurrencyKey, concurrencyLimit: 1, queue })]);
  return await dispatchJobs(ledger.db, queue, testLane(100), { picture });
}

async function end(jobs: DispatchedJob[]): Promise<void> {
  const claimed = await claimJobs(ledger.db, ledger.workerId, jobs);
  const ended = claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
  await recordOutcomes(ledger.db, ended, VERSIONS);
}

const transaction = async (db = ledger.db) =>
  (await sql<{ txid: string }>`SELECT pg_current_xact_id()::text AS txid`.execute(db)).rows[0]?.txid ?? '';

test('flights are looked for from the eldest on, and from that of whoever may still be dispatching', async () => {
  const before = await transaction();
  const { jobs } = await fly('one');
  const after = await transaction();
  // Transactions of other databases of the server are waited for as well.
  await movesPast(before);
  const since = await readFlightsSince(ledger.db, before);
  expect(BigInt(since)).toBeLessThan(BigInt(after));
  await end(jobs);
  await ledger.db.transaction().execute(async (tx) => {
    const running = await transaction(tx);
    const later = await transaction();
    expect(BigInt(later)).toBeGreaterThan(BigInt(running));
    expect(BigInt(await readFlightsSince(ledger.db, since))).toBeLessThanOrEqual(BigInt(running));
  });
  await movesPast(after);
});

async function movesPast(txid: string): Promise<void> {
  const since = async () => BigInt(await readFlightsSince(ledger.db, '0'));
  await expect.poll(since, { timeout: 10_000 }).toBeGreaterThan(BigInt(txid));
}

test('a flight holds its slot however many turns come after it, in whatever queue', async () => {
  expect((await fly('long', 'another')).jobs).toHaveLength(1);
  let picture: QueuePicture | undefined;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { jobs, picture: seen } = await fly(`short-${turn % 3}`, 'default', picture);
    expect(jobs).toHaveLength(1);
    await end(jobs);
    picture = seen;
  }
  expect(picture?.limitedTurns).toBe(TURNS);
  expect((await fly('long', 'default', picture)).jobs).toEqual([]);
});

test.each([
  ['of before a crash is not gone by', newUuid(), 0],
  ['is gone by', undefined, 1],
])('from when on there are flights %s', async (_, otherEpoch, expected) => {
  expect((await fly('key')).jobs).toHaveLength(1);
  await insertJobs(ledger.db, [makeJob({ tenantId, concurrencyKey: 'key', concurrencyLimit: 1 })]);
  const { round, epoch, lines } = await surveyQueue(ledger.db, 'default');
  const { marked } = await takeLimitedJobs(ledger.db, {
    queue: 'default',
    round,
    lines: lines.all().map((line) => ({ line, builds: [TEST_BUILD], places: [0] })),
    limits: { key: [], type: [], tenant: [] },
    known: { epoch: otherEpoch ?? epoch, flightsSince: String(2n ** 60n) },
  });
  expect(marked).toHaveLength(expected);
});
