import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD } from '@accepted/testing/test-build';
import { beforeEach, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

const insert = async (count: number, tenantId: string, type = 'test.noop') => {
  await insertJobs(
    ledger.db,
    Array.from({ length: count }, () => makeJob({ tenantId, type })),
  );
};
const lane = { buildId: TEST_BUILD, size: 20, mostPerTenant: { all: 4, slow: 4 } };

/** As a dispatcher does: it remembers the queue from turn to turn. */
let picture: QueuePicture | undefined;
beforeEach(() => {
  picture = undefined;
});
async function takeTurn(lanes: LaneWindow[] = [lane], quickTypes: string[] = []) {
  picture ??= await surveyQueue(ledger.db, 'default');
  for (const type of quickTypes) picture.times.add({ tenantId: '', type, jobs: 100, ms: 100 });
  const turn = await dispatchJobs(ledger.db, 'default', lanes, { picture });
  picture = turn.picture;
  return turn;
}

test('a tenant has no more dispatched and running than its share, and its backlog keeps nobody waiting', async () => {
  const [large, small] = [newUuid(), newUuid()];
  await insert(100, large);
  const first = await takeTurn();
  expect(first).toMatchObject({ jobs: Array(4).fill({}), moreToDo: false, heldBack: true });
  expect(await takeTurn()).toMatchObject({ jobs: [], moreToDo: false, heldBack: true });
  const claimed = await claimJobs(ledger.db, ledger.workerId, first.jobs);
  expect((await takeTurn()).jobs).toEqual([]);
  await insert(2, small);
  expect(await takeTurn()).toMatchObject({ jobs: [{}, {}], heldBack: true });
  const [job] = claimed;
  if (job) await recordOutcomes(ledger.db, [{ job, outcome: succeed }], VERSIONS);
  expect(await takeTurn()).toMatchObject({ jobs: [{}], heldBack: true });
});

test('what fits into the share is marked at once, and nothing is held back', async () => {
  const tenantId = newUuid();
  await insert(3, tenantId);
  expect(await takeTurn()).toMatchObject({ jobs: Array(3).fill({}), moreToDo: false, heldBack: false });
  await insert(1, tenantId);
  expect(await takeTurn()).toMatchObject({ jobs: [{}], moreToDo: false, heldBack: false });
  await insert(1, tenantId);
  expect(await takeTurn()).toMatchObject({ jobs: [], moreToDo: false, heldBack: true });
});

test('where there is no share, one tenant fills the window', async () => {
  await insert(100, newUuid());
  const turn = await takeTurn([{ ...lane, mostPerTenant: undefined }]);
  expect(turn).toMatchObject({ jobs: Array(20).fill({}), moreToDo: true, heldBack: false });
});

test('of quick jobs more goes ahead than the share, of slow ones nothing', async () => {
  await registerTestBuild(ledger.db, ['test.noop', 'test.slow']);
  const lanes = [{ ...lane, mostPerTenant: { all: 6, slow: 2 } }];
  const turn = () => takeTurn(lanes, ['test.noop']);
  const [large, small] = [newUuid(), newUuid()];
  await insert(50, large, 'test.slow');
  expect(await turn()).toMatchObject({ jobs: [{}, {}], moreToDo: false, heldBack: true });
  await insert(50, large);
  const quick = { type: 'test.noop' };
  expect(await turn()).toMatchObject({ jobs: Array(4).fill(quick), moreToDo: false, heldBack: true });
  expect(await turn()).toMatchObject({ jobs: [], moreToDo: false, heldBack: true });
  await insert(1, small, 'test.slow');
  expect((await turn()).jobs).toHaveLength(1);
});

test('each lane has its own share', async () => {
  await registerTestBuild(ledger.db, ['test.other'], { id: 'other-build' });
  const tenantId = newUuid();
  await insert(50, tenantId);
  await insert(50, tenantId, 'test.other');
  const lanes = [lane, { ...lane, buildId: 'other-build', mostPerTenant: { all: 2, slow: 2 } }];
  const turn = await takeTurn(lanes);
  expect(turn.lanes.map(({ dispatched }) => dispatched.length)).toEqual([4, 2]);
  expect(await takeTurn(lanes)).toMatchObject({ jobs: [], moreToDo: false, heldBack: true });
});
