import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { DispatchedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';
import { lookAgain } from './pictures.ts';

const ledger = useLedger();
const tenants = [newUuid(), newUuid()];
const [tenantId = ''] = tenants;
const QUEUES = ['default', 'other'];
const ROUNDS = 200;

async function end(jobs: DispatchedJob[]): Promise<void> {
  const claimed = await claimJobs(ledger.db, ledger.workerId, jobs);
  const ended = claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
  if (ended.length > 0) await recordOutcomes(ledger.db, ended, VERSIONS);
}

test('a job that stays while others of its line wait for a slot is not forgotten, though one of those was not told of', async () => {
  const keyed = (concurrencyKey: string) => makeJob({ tenantId, concurrencyKey, concurrencyLimit: 1 });
  const [goes, stays, parks] = [keyed('k1'), keyed('k2'), keyed('k1')];
  let picture = await surveyQueue(ledger.db, 'default');
  for (const job of [goes, stays]) await insertJobs(ledger.db, [job]);
  const turn = await ledger.db.transaction().execute(async (tx) => {
    await sql`SELECT FROM queues WHERE name = 'default' FOR UPDATE`.execute(tx);
    const taking = dispatchJobs(ledger.db, 'default', testLane(1), { picture });
    await expect.poll(isTaking, { timeout: 10_000 }).toBe(true);
    await insertJobs(ledger.db, [parks]);
    return { taking };
  });
  const { jobs, picture: seen } = await turn.taking;
  expect(jobs.map(({ id }) => id)).toEqual([goes.id]);
  await end(jobs);
  picture = await lookAgain(ledger.db, seen);
  const next = await dispatchJobs(ledger.db, 'default', testLane(10), { picture });
  expect(next.jobs.map(({ id }) => id).sort()).toEqual([stays.id, parks.id].sort());
});

async function isTaking(): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%take-limited-jobs%' AND datname = current_database()`.execute(
    ledger.db,
  );
  return rows.length > 0;
}

test('a dispatcher knows of all that waits, and no limit is exceeded, whoever moves jobs at the same time', {
  timeout: 120_000,
}, async ({ annotate }) => {
  await registerTestBuild(ledger.db, ['one', 'two']);
  const dispatchers = QUEUES.map(createDispatcher);
  let flying: DispatchedJob[] = [];
  let lostTurns = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const ending = flying.filter(() => Math.random() < 0.5);
    flying = flying.filter((job) => !ending.includes(job));
    const rival = createDispatcher(pick(QUEUES));
    const turns = await Promise.all([
      ...dispatchers.map(({ takeTurn }) => takeTurn()),
      ...(Math.random() < 0.05 ? [rival.takeTurn()] : []),
      ...[insertSome(), insertSome(), end(ending)].map((moving) => moving.then(() => undefined)),
    ]);
    flying.push(...turns.flatMap((turn) => turn?.jobs ?? []));
    lostTurns += turns.filter((turn) => turn?.lost).length;
    await expectWithinLimits();
    for (const { expectKnown } of dispatchers) await expectKnown();
  }
  await annotate(`${ROUNDS} rounds, ${lostTurns} lost turns`);
});

const pick = <Thing>(things: readonly Thing[]) => things[Math.floor(Math.random() * things.length)] as Thing;
const MOST_OF_TYPE = 2;
const LIMITS = { key: [], type: [{ name: 'two', most: MOST_OF_TYPE }], tenant: [] };

async function insertSome(): Promise<void> {
  const count = 1 + Math.floor(Math.random() * 3);
  const jobs = Array.from({ length: count }, () => {
    const key = Math.random() < 0.85 && { concurrencyKey: pick(['a', 'b', 'c', 'd']), concurrencyLimit: 1 };
    const job = {
      queue: pick(QUEUES),
      type: pick(['one', 'two']),
      tenantId: pick(tenants),
      priority: pick([1, 2]),
    };
    return makeJob({ ...job, ...key });
  });
  await insertJobs(ledger.db, jobs);
}

function createDispatcher(queue: string) {
  let picture: QueuePicture | undefined;

  async function takeTurn(room = pick([2, 5, 20])) {
    const turn = await dispatchJobs(ledger.db, queue, testLane(room), { picture, limits: LIMITS });
    picture = turn.lost ? undefined : turn.picture;
    // As it does ten times a second.
    picture?.lines.gates.openHeldElsewhere();
    return turn;
  }

  /** None of its lines is missing, or begins later than its first job; nobody moves any meanwhile. */
  async function expectKnown(): Promise<void> {
    const { picture: heard } = await takeTurn(0);
    const { lines } = await surveyQueue(ledger.db, queue);
    const beginOf = new Map(
      heard.lines.all().map(({ jobs: _, placedBy, ...name }) => [nameOf(name), placedBy]),
    );
    for (const { jobs: _, placedBy, ...name } of lines.all()) {
      const begin = beginOf.get(nameOf(name));
      expect(begin !== undefined && begin <= placedBy, `${nameOf(name)} from ${placedBy}: ${begin}`).toBe(
        true,
      );
    }
  }
  return { takeTurn, expectKnown };
}

const nameOf = (name: object) => JSON.stringify(Object.entries(name).sort());

async function expectWithinLimits(): Promise<void> {
  const { rows } = await sql<{ keys: number; ofType: number }>`
    SELECT (SELECT count(*)::int FROM in_flight WHERE type = 'two') AS "ofType",
      (SELECT count(*)::int FROM (
        SELECT FROM in_flight WHERE concurrency_key IS NOT NULL GROUP BY tenant_id, concurrency_key HAVING count(*) > 1) AS over) AS keys`.execute(
    ledger.db,
  );
  expect(rows[0]?.keys).toBe(0);
  expect(rows[0]?.ofType).toBeLessThanOrEqual(MOST_OF_TYPE);
}
