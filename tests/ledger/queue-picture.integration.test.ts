import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { forgetMovements, readOldestTransaction } from '@accepted/shared/ledger/jobs/forget-movements';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { makeJob } from '@accepted/testing/factories';
import { TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';
import { expectSame, lookAgain } from './pictures.ts';

const ledger = useLedger();
const survey = () => surveyQueue(ledger.db, 'default');

const MOVERS = 4;
const ROUNDS = 40;

test('a picture is brought up to date while many move jobs at the same time', async () => {
  let picture = await survey();
  let isOver = false;
  const movers = Promise.all(Array.from({ length: MOVERS }, (_, seed) => moveJobs(seed))).finally(() => {
    isOver = true;
  });
  let looks = 0;
  for (; !isOver; looks += 1) picture = await lookAgain(ledger.db, picture);
  await movers;

  expect(looks).toBeGreaterThan(MOVERS);
  expectSame(await lookAgain(ledger.db, picture), await survey());
});

/** Takes jobs through all that may become of them, each round another part of the way. */
async function moveJobs(seed: number): Promise<void> {
  const own = await ledger.startWorker();
  for (let round = 0; round < ROUNDS; round += 1) {
    await insertJobs(
      ledger.db,
      Array.from({ length: 1 + ((seed + round) % 4) }, () => makeJob({ priority: round % 3 })),
    );
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(1_000));
    await takeBack(ledger.db, jobs.slice(0, round % 2));
    const claimed = await claimJobs(ledger.db, own, jobs.slice(0, -1));
    const ended = claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
    await recordOutcomes(ledger.db, ended.slice(round % 2), VERSIONS);
  }
}

test('a job is found that was being accepted while the picture was taken, whenever that commits', async () => {
  const [late, inTime] = [makeJob(), makeJob()];
  let picture: QueuePicture | undefined;
  await ledger.db.transaction().execute(async (tx) => {
    await insertJobs(tx, [late]);
    picture = await survey();
    await insertJobs(ledger.db, [inTime]);
    picture = await dispatchNow(picture, [inTime.id]);
    picture = await dispatchNow(picture, []);
  });
  await dispatchNow(picture, [late.id]);
});

async function dispatchNow(picture: QueuePicture | undefined, ids: string[]): Promise<QueuePicture> {
  const turn = await dispatchJobs(ledger.db, 'default', testLane(100), { picture });
  expect(turn.jobs.map(({ id }) => id)).toEqual(ids);
  return turn.picture;
}

test("what was dispatched before goes first of its tenant's priority, whenever it was given back", async () => {
  const tenantId = newUuid();
  const jobs = Array.from({ length: 4 }, () => makeJob({ tenantId }));
  await insertJobs(ledger.db, jobs);
  const first = await dispatchJobs(ledger.db, 'default', testLane(2));
  await takeBack(ledger.db, first.jobs.slice(1));

  const second = await dispatchJobs(ledger.db, 'default', testLane(2), first);
  expect(second.jobs.map(({ id }) => id)).toEqual([jobs[1]?.id]);
});

test('what a turn has dispatched takes its room at the next, which has not heard of it yet', async () => {
  const tenantId = newUuid();
  const jobs = Array.from({ length: 6 }, () => makeJob({ tenantId }));
  await insertJobs(ledger.db, jobs);
  const first = await dispatchJobs(ledger.db, 'default', testLane(2), { picture: await survey() });
  const second = await dispatchJobs(ledger.db, 'default', testLane(3), first);
  expect(second.jobs.map(({ id }) => id)).toEqual([jobs[2]?.id]);
  const third = await dispatchJobs(ledger.db, 'default', testLane(3), second);
  expect(third.jobs).toEqual([]);
  await claimJobs(ledger.db, ledger.workerId, first.jobs);
  await dispatchNow(
    (await dispatchJobs(ledger.db, 'default', testLane(0), third)).picture,
    ids(jobs.slice(3)),
  );
});

const ids = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

test('a picture is worth nothing once another dispatcher has put jobs into flight', async () => {
  await insertJobs(
    ledger.db,
    Array.from({ length: 4 }, () => makeJob()),
  );
  const picture = await survey();
  const other = await dispatchJobs(ledger.db, 'default', testLane(2));
  expect(other.jobs).toHaveLength(2);
  expect((await dispatchJobs(ledger.db, 'default', testLane(3), { picture })).jobs).toHaveLength(1);
});

test.each([
  ['what was told is gone, as after a crash', (db: Database) => sql`DELETE FROM told_since`.execute(db)],
  ['it is too old', undefined],
])('a picture is made anew when %s', async (_, lose) => {
  const before = await survey();
  await lose?.(ledger.db);
  await sql`TRUNCATE arrivals, landings`.execute(ledger.db);
  const job = await ledger.insertOne();
  await sql`TRUNCATE arrivals, landings`.execute(ledger.db);

  const picture = lose ? before : { ...before, seenAt: new Date(Date.now() - 60_000).toISOString() };
  const turn = await dispatchJobs(ledger.db, 'default', testLane(1), { picture });
  expect(turn.jobs).toMatchObject([{ id: job.id, buildId: TEST_BUILD }]);
  expect(turn.picture.epoch === before.epoch).toBe(lose === undefined);
});

test('what was told before a transaction is forgotten, so much at a time, and nothing that came since', async () => {
  await sql`TRUNCATE arrivals, landings`.execute(ledger.db);
  const before = await readOldestTransaction(ledger.db);
  for (const job of [await ledger.claimOne(), await ledger.claimOne()])
    await recordOutcomes(ledger.db, [{ job, outcome: succeed }], VERSIONS);
  const [arrivals = 0, changes = 0] = await countTold();
  expect(arrivals).toBeGreaterThan(0);
  expect(changes).toBeGreaterThan(1);
  expect(await forgetMovements(ledger.db, before, 100)).toBe(0);
  expect(await countTold()).toEqual([arrivals, changes]);

  const isPast = async () => Number(await readOldestTransaction(ledger.db)) > Number(await newestTold());
  // Transactions of other databases of the server count as well.
  await waitUntil(isPast, { until: 'all that was running then has ended' });
  const after = await readOldestTransaction(ledger.db);
  expect(await forgetMovements(ledger.db, after, 1)).toBe(1);
  expect(await countTold()).toEqual([arrivals - 1, changes - 1]);
  expect(await forgetMovements(ledger.db, after, 100)).toBe(changes - 1);
  expect(await countTold()).toEqual([0, 0]);
});

async function newestTold(): Promise<string> {
  const { rows } = await sql<{ txid: string }>`
    SELECT told_by::text AS txid FROM landings ORDER BY told_by DESC LIMIT 1`.execute(ledger.db);
  return rows[0]?.txid ?? '';
}

async function countTold(): Promise<number[]> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int FROM arrivals UNION ALL SELECT count(*)::int FROM landings`.execute(ledger.db);
  return rows.map(({ count }) => count);
}
