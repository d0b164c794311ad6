import { newUuid } from '@accepted/shared/core/job/id';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { findJob, listJobs } from '@accepted/shared/ledger/jobs/read-jobs';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

/**
 * How often a moving job is looked for, by itself or on a page; a tenth as many are canceled. `MOVING_TRIES=1000000` makes
 * it a long run.
 */
const TRIES = Number(process.env.MOVING_TRIES ?? 4_000);
const JOBS = 40;
const READERS = 4;
/** So many looks go by a page of all jobs; each of them is looked for there. */
const PAGE_EVERY = 10;
const TIMEOUT_MS = 30_000 + TRIES * 5;

const ledger = useLedger();

/** Moves jobs between all tables that a waiting job can be in, as dispatcher, reconciler, clients and the loop of due jobs do. */
async function moveAround(tenantId: string, ids: string[], isOver: () => boolean): Promise<void> {
  const dispatch = async () => {
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(JOBS));
    await takeBack(ledger.db, jobs);
  };
  const reschedule = async () => {
    const id = ids[Math.floor(Math.random() * ids.length)] ?? '';
    await rescheduleJob(ledger.db, tenantId, id, { delayMs: Math.random() < 0.5 ? 60_000 : 0 });
  };
  const comeDue = async () => void (await queueDueJobs(ledger.db, JOBS));
  await Promise.all(
    [dispatch, dispatch, reschedule, reschedule, comeDue].map(async (move) => {
      while (!isOver()) await move();
    }),
  );
}

async function submitSome(count: number): Promise<{ tenantId: string; ids: string[] }> {
  const tenantId = newUuid();
  const jobs = Array.from({ length: count }, () => makeJob({ tenantId }));
  await insertJobs(ledger.db, jobs);
  return { tenantId, ids: jobs.map(({ id }) => id) };
}

test(
  'whoever looks for a job that moves finds it, at every look',
  async () => {
    const { tenantId, ids } = await submitSome(JOBS);
    let tries = 0;
    const missed: unknown[] = [];
    const look = async (id: string) => {
      tries += 1;
      if (!(await findJob(ledger.db, tenantId, id))) missed.push(id);
    };
    const lookAtPage = async () => {
      tries += JOBS;
      const page = await listJobs(ledger.db, tenantId, {}, { limit: JOBS });
      if (page.length < JOBS) missed.push(`${page.length} on a page`);
    };
    const read = async () => {
      for (let turn = 1; tries < TRIES; turn += 1)
        await (turn % PAGE_EVERY === 0 ? lookAtPage() : look(ids[turn % JOBS] ?? ''));
    };
    const looking = Promise.all(Array.from({ length: READERS }, read));
    await moveAround(tenantId, ids, () => tries >= TRIES);
    await looking;
    expect(missed).toEqual([]);
    expect(await findMisplacedJobs(ledger.db)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'whoever cancels a job that moves cancels it, and it ends once',
  async () => {
    for (let canceled = 0; canceled < TRIES / 10; canceled += JOBS) {
      const { tenantId, ids } = await submitSome(JOBS);
      let isOver = false;
      const moving = moveAround(tenantId, ids, () => isOver);
      const results = await Promise.all(ids.map((id) => cancelJob(ledger.db, tenantId, id)));
      isOver = true;
      await moving;
      expect(results.map((result) => result?.kind)).toEqual(ids.map(() => 'canceled'));
    }
    expect(await findMisplacedJobs(ledger.db)).toEqual([]);
  },
  TIMEOUT_MS,
);
