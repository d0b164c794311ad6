import type { AdaptiveLimit } from '@accepted/shared/core/fairness/adaptive-limits';
import { explainWait } from '@accepted/shared/core/fairness/explain-wait';
import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { takeBackTypes } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { findWaitingJob } from '@accepted/shared/ledger/jobs/waiting-job';
import {
  listAdaptiveLimits,
  readHeldTypes,
  type ToldType,
  tellHeldTypes,
} from '@accepted/shared/ledger/limits/adaptive-limits';
import { readOutlook } from '@accepted/shared/ledger/queues/queue-outlook';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const tenantId = newUuid();

beforeAll(() => registerTestBuild(ledger.db, ['test.noop', 'test.slow']));

let picture: QueuePicture | undefined;
beforeEach(() => {
  picture = undefined;
});

const HELD: ReadonlyMap<string, AdaptiveLimit> = new Map([['test.slow', { most: 2, yields: false }]]);

async function insert(type: string, jobs: number): Promise<string[]> {
  const made = Array.from({ length: jobs }, () => makeJob({ tenantId, type }));
  await insertJobs(ledger.db, made);
  return made.map(({ id }) => id);
}

/** A turn of a dispatcher that remembers the queue; answers the types that went, in order. */
async function takeTurn(adaptiveLimits = HELD, room = 20) {
  picture ??= await surveyQueue(ledger.db, 'default');
  const turn = await dispatchJobs(ledger.db, 'default', testLane(room), { picture, adaptiveLimits });
  picture = turn.picture;
  return { ...turn, types: turn.jobs.map(({ type }) => type).sort() };
}

const SLOW = 'test.slow';
const OTHER = 'test.noop';

test('of a type that is held down no more go than may, whatever is told at once, and others go at once', async () => {
  expect((await takeTurn()).types).toEqual([]);
  await insert(SLOW, 5);
  const turn = await takeTurn();
  expect(turn.types).toEqual([SLOW, SLOW]);
  expect([...turn.waitingTypes]).toEqual([SLOW]);
  expect(turn).toMatchObject({ moreToDo: false, heldBack: false });
  await insert(OTHER, 3);
  expect((await takeTurn()).types).toEqual([OTHER, OTHER, OTHER]);
  await insert(SLOW, 1);
  expect((await takeTurn()).types).toEqual([]);
  expect((await takeTurn(new Map())).types).toEqual(Array(4).fill(SLOW));
});

test('a type that yields has what is left', async () => {
  await insert(SLOW, 10);
  await insert(OTHER, 3);
  const yields = new Map([[SLOW, { most: 2, yields: true }]]);
  expect((await takeTurn(yields, 8)).types).toEqual([...Array(3).fill(OTHER), ...Array(5).fill(SLOW)]);
});

test('what waits in the engine of a type is taken back, and the other types stay there', async () => {
  await insert(SLOW, 3);
  await insert(OTHER, 2);
  await takeTurn(new Map());
  await takeBackTypes(ledger.db, 'default', [SLOW]);
  const turn = await takeTurn();
  expect([turn.types, turn.picture.flights.ofTypes()]).toEqual([
    [SLOW, SLOW],
    new Map([
      [SLOW, 2],
      [OTHER, 2],
    ]),
  ]);
});

const USUAL = { meanMs: 5, medianMs: 5, running: 1, hanging: 0 };
const TOLD: ToldType[] = [{ type: SLOW, most: 2, twentieths: 2, usual: USUAL, heldMs: 1_000 }];

test('a job that waits for that is told so, for as long as it is told', async () => {
  const jobs = await insert(SLOW, 3);
  await insert(OTHER, 1);
  await takeTurn();
  const codesOf = async () => {
    const outlook = await readOutlook(ledger.db, 'default');
    const waiting = await findWaitingJob(ledger.db, tenantId, jobs[2] ?? '');
    return waiting && explainWait(waiting, outlook);
  };
  expect(await codesOf()).toEqual({ ahead: 0, isAtLeast: false });
  await tellHeldTypes(ledger.db, 'default', TOLD);
  expect(await codesOf()).toEqual({ codes: ['type_limit'] });
  expect(await listAdaptiveLimits(ledger.db)).toEqual([{ queue: 'default', type: SLOW, most: 2 }]);
  expect(await readHeldTypes(ledger.db, 'default')).toEqual(TOLD);
  await sql`UPDATE queues SET adaptive_limits_told_at = now() - interval '6 s'`.execute(ledger.db);
  expect([await codesOf(), await listAdaptiveLimits(ledger.db)]).toEqual([
    { ahead: 0, isAtLeast: false },
    [],
  ]);
  expect(await readHeldTypes(ledger.db, 'default')).toEqual(TOLD);
  await sql`UPDATE queues SET adaptive_limits_told_at = now() - interval '61 s'`.execute(ledger.db);
  expect(await readHeldTypes(ledger.db, 'default')).toEqual([]);
  await sql`UPDATE queues SET adaptive_limits = NULL, adaptive_limits_told_at = NULL`.execute(ledger.db);
  expect([await readHeldTypes(ledger.db, 'default'), await listAdaptiveLimits(ledger.db)]).toEqual([[], []]);
});
