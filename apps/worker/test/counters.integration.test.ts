import { newUuid } from '@accepted/shared/core/job/id';
import { readCounters } from '@accepted/shared/ledger/queues/counters';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openWorkerRig, type WorkerRig } from './dead-letters/worker-rig.ts';

let rig: WorkerRig;
beforeAll(async () => {
  rig = await openWorkerRig('postgres');
});
afterEach(() => rig.stopWorkers());
afterAll(() => rig.close());

/** Reads the totals of a queue as `name label` to number. */
async function totalsOf(queue: string): Promise<Record<string, number>> {
  const totals = (await readCounters(rig.database.db)).filter((total) => total.queue === queue);
  return Object.fromEntries(totals.map(({ name, label, total }) => [`${name} ${label}`.trim(), total]));
}

test('what several workers did is summed up, with what they did last before they stopped', async () => {
  const fail = () => {
    throw new Error('it is broken');
  };
  await Promise.all([rig.startWorker('summed', fail), rig.startWorker('summed', fail)]);
  await rig.dieInWorkers('summed', newUuid(), 30);
  await rig.stopWorkers();

  expect(await totalsOf('summed')).toEqual({
    'attempts failed': 30,
    'jobs_finished failed': 30,
    dead_letters_created: 30,
  });
});

test('an attempt whose worker was lost is counted as rescued, and its late result as nothing', async () => {
  const { db } = rig.database;
  await rig.startWorker('rescued', () => new Promise(() => undefined));
  const died = rig.dieInWorkers('rescued', newUuid(), 1);
  const running = db.selectFrom('current_jobs').select('id').where('status', '=', 'running');
  await waitUntil(async () => (await running.execute()).length === 1, { until: 'the job runs' });
  await db.updateTable('workers').set({ lost_at: new Date() }).execute();
  await died;

  const isCounted = async () => (await totalsOf('rescued')).rescued === 1;
  await waitUntil(isCounted, { until: 'the rescue is counted' });
  expect(await totalsOf('rescued')).toEqual({
    'attempts worker_lost': 1,
    'jobs_finished failed': 1,
    dead_letters_created: 1,
    rescued: 1,
  });
});
