import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import { newUuid } from '@accepted/shared/core/job/id';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { findJob, listJobs } from '@accepted/shared/ledger/jobs/read-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

/**
 * How often a moving job is looked for, by itself or on a page; a tenth as many are canceled. `MOVING_TRIES=1000000` makes
 * it a long run.
 */
const TRIES = Number(process.env.MOVING_TRIES ?? 4_000);
const JOBS = 40;
/** Half of the jobs share a key: most of those wait in `blocked`. */
const KEY = { concurrencyKey: 'moving', concurrencyLimit: 2 };
const CLIENTS = 4;
/** One look of so many goes by a page of as many jobs, each of which is looked for there: so half of all tries are by a page. */
const PAGE_EVERY = JOBS;
const TIMEOUT_MS = 30_000 + TRIES * 5;

const ledger = useLedger();

/** Jobs of one tenant that are moved around. */
interface Moving {
  tenantId: string;
  /** Those that are looked for; where one ends, another takes its place. */
  ids: string[];
  /** Whether attempts may succeed. */
  mayEnd: boolean;
  isOver: boolean;
  /** How many attempts were recorded; how often the movers counted who is blocked, and of that found anybody. */
  seen: { attempts: number; counts: number; blocked: number };
}

async function submitSome({ mayEnd }: Pick<Moving, 'mayEnd'>): Promise<Moving> {
  const tenantId = newUuid();
  const jobs = Array.from({ length: JOBS }, (_, place) => makeJobAt(tenantId, place));
  await insertJobs(ledger.db, jobs);
  const seen = { attempts: 0, counts: 0, blocked: 0 };
  return { tenantId, ids: jobs.map(({ id }) => id), mayEnd, isOver: false, seen };
}

const makeJobAt = (tenantId: string, place: number) => makeJob({ tenantId, ...(place % 2 === 0 && KEY) });

/** Moves jobs between all tables, as dispatcher, reconciler, workers, clients and the loop of due jobs do. */
async function moveAround(moving: Moving): Promise<void> {
  const { tenantId, ids, seen } = moving;
  const dispatch = async () => (await dispatchJobs(ledger.db, 'default', testLane(JOBS))).jobs;
  const giveBack = async () => void (await takeBack(ledger.db, await dispatch()));
  const run = async () => await runAll(moving, await dispatch());
  const reschedule = async () =>
    void (await rescheduleJob(ledger.db, tenantId, pick(ids), { delayMs: pick([0, 60_000]) }));
  const comeDue = async () => void (await queueDueJobs(ledger.db, JOBS));
  const countBlocked = async () => {
    seen.counts += 1;
    if ((await readBlocked()) > 0) seen.blocked += 1;
  };
  await Promise.all(
    [giveBack, giveBack, run, run, reschedule, reschedule, comeDue, countBlocked].map(async (move) => {
      while (!moving.isOver) await move();
    }),
  );
}

async function runAll({ tenantId, ids, mayEnd, seen }: Moving, dispatched: DispatchKey[]): Promise<void> {
  const claimed = await claimJobs(ledger.db, ledger.workerId, dispatched);
  const ended = claimed.flatMap((job) => (job ? [{ job, outcome: chooseOutcome(mayEnd) }] : []));
  await recordOutcomes(ledger.db, ended, VERSIONS);
  seen.attempts += ended.length;
  for (const { job, outcome } of ended) {
    if (outcome.kind !== 'succeed') continue;
    const place = ids.indexOf(job.id);
    const next = makeJobAt(tenantId, place);
    await insertJobs(ledger.db, [next]);
    ids[place] = next.id;
  }
}

function chooseOutcome(mayEnd: boolean): Outcome {
  const error = { code: 'broken', message: 'It broke.', retryable: true };
  const retry: Outcome = { kind: 'retry', delayMs: pick([0, 60_000]), error };
  return pick([retry, { kind: 'release' }, mayEnd ? succeed : retry]);
}

function pick<T>(values: T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}

async function readBlocked(): Promise<number> {
  const { rows } = await sql<{ jobs: number }>`SELECT count(*)::int AS jobs FROM blocked`.execute(ledger.db);
  return rows[0]?.jobs ?? 0;
}

test(
  'whoever looks for a job that moves finds it, at every look, and as new as it was seen before',
  async ({ annotate }) => {
    const moving = await submitSome({ mayEnd: true });
    const { ids, seen } = moving;
    let tries = 0;
    const missed: unknown[] = [];
    const looker = createLooker(moving.tenantId, missed);
    const read = async () => {
      for (let turn = 1; tries < TRIES; turn += 1) {
        const isPage = turn % PAGE_EVERY === 0;
        tries += isPage ? JOBS : 1;
        await (isPage ? looker.lookAtPage(ids) : looker.look(pick(ids)));
      }
    };
    const reading = Promise.all(Array.from({ length: CLIENTS }, read)).finally(() => {
      moving.isOver = true;
    });
    await Promise.all([moveAround(moving), reading]);
    await annotate(`${tries} tries: ${JSON.stringify(seen)}`);
    expect(missed).toEqual([]);
    expectAllTables(seen);
    expect(await findMisplacedJobs(ledger.db)).toEqual([]);
  },
  TIMEOUT_MS,
);

/** Looks for jobs and notes which of them were not found, or shown as they were before a look that had ended. */
function createLooker(tenantId: string, missed: unknown[]) {
  const versions = new Map<string, number>();
  const versionOf = (id: string) => versions.get(id) ?? 1;
  const check = (id: string, job: { version: number } | undefined, before: number) => {
    if (job && job.version >= before) versions.set(id, Math.max(versionOf(id), job.version));
    else missed.push({ id, before, now: job?.version });
  };
  return {
    async look(id: string) {
      const before = versionOf(id);
      check(id, await findJob(ledger.db, tenantId, id), before);
    },
    async lookAtPage(ids: string[]) {
      const before = new Map(ids.map((id) => [id, versionOf(id)]));
      const page = await listJobs(ledger.db, tenantId, {}, { limit: JOBS });
      for (const job of page) check(job.id, job, before.get(job.id) ?? 1);
      if (page.length < JOBS) missed.push(`${page.length} on a page`);
    },
  };
}

/** A test whose jobs did not go through `blocked` and `in_flight` has not tried what it is for. */
function expectAllTables({ attempts, counts, blocked }: Moving['seen']): void {
  expect(attempts).toBeGreaterThan(JOBS / 10);
  expect(blocked / counts).toBeGreaterThan(0.2);
}

test(
  'whoever cancels a job that moves cancels it, and it ends once',
  async ({ annotate }) => {
    const seen = { attempts: 0, counts: 0, blocked: 0 };
    let canceled = 0;
    for (; canceled < TRIES / 10; canceled += JOBS) {
      const moving = { ...(await submitSome({ mayEnd: false })), seen };
      expect(await cancelAll(moving)).toEqual(
        moving.ids.map(() => expect.stringMatching(/^(canceled|requested)$/)),
      );
    }
    await annotate(`${canceled} canceled: ${JSON.stringify(seen)}`);
    expectAllTables(seen);
    expect(await countEnds()).toEqual([{ status: 'canceled', ends: canceled, jobs: canceled }]);
    expect(await findMisplacedJobs(ledger.db)).toEqual([]);
  },
  TIMEOUT_MS,
);

/** Cancels all jobs while they move, some of them blocked from the first on, and answers what each cancel said. */
async function cancelAll(moving: Moving): Promise<(string | undefined)[]> {
  await takeBack(ledger.db, (await dispatchJobs(ledger.db, 'default', testLane(JOBS))).jobs);
  const left = [...moving.ids.entries()];
  const kinds: (string | undefined)[] = [];
  const cancel = async () => {
    for (let next = left.shift(); next; next = left.shift())
      kinds[next[0]] = (await cancelJob(ledger.db, moving.tenantId, next[1]))?.kind;
  };
  const canceling = Promise.all(Array.from({ length: CLIENTS }, cancel)).finally(() => {
    moving.isOver = true;
  });
  await Promise.all([moveAround(moving), canceling]);
  return kinds;
}

async function countEnds() {
  const { rows } = await sql<{ status: string; ends: number; jobs: number }>`
    SELECT status, count(*)::int AS ends, count(DISTINCT job_id)::int AS jobs FROM attempts
    WHERE status NOT IN ('queued', 'retrying') GROUP BY status`.execute(ledger.db);
  return rows;
}
