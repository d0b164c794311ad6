import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { newUuid } from '@accepted/shared/core/job/id';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CONFIG, useWorkers } from './use-workers.ts';

const SLOW_MS = 300;
const JOBS = CONFIG.WORKER_CONCURRENCY * 20;
/** Beside other tests; by itself it is 97 of 100. */
const LEAST_BUSY = 0.6;

/** Handlers of a job type: those of `hold` run until all are let go, others for so long. */
function createHolder(queue: string, othersMs: number) {
  const gate = new AbortController();
  let held = 0;
  let ended = 0;
  const payload = z.strictObject({ hold: z.boolean() });
  const run = async ({ hold }: z.infer<typeof payload>) => {
    if (!hold) {
      await delay(othersMs);
      ended += 1;
      return;
    }
    held += 1;
    await delay(60_000, undefined, { signal: gate.signal }).catch(() => undefined);
  };
  return {
    job: defineJob({ type: `${queue}.work`, queue, payload, run }),
    payloadJson: (hold: boolean) => JSON.stringify({ hold }),
    held: () => held,
    ended: () => ended,
    letGo: () => gate.abort(),
  };
}

describe.each(['redis', 'postgres'] as const)('slow handlers on %s', (kind) => {
  const workers = useWorkers(kind);

  test('have their slots busy, though hardly anything is dispatched ahead', async ({ annotate }) => {
    const runs: { fromMs: number; toMs: number }[] = [];
    await workers.start('busy', async () => {
      const fromMs = performance.now();
      await delay(SLOW_MS);
      runs.push({ fromMs, toMs: performance.now() });
    });
    const jobs = await workers.submit('busy', {}, JOBS);
    for (const { id } of jobs) await workers.reaches(id, 'succeeded');
    const busyMs = runs.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const lastedMs =
      Math.max(...runs.map(({ toMs }) => toMs)) - Math.min(...runs.map(({ fromMs }) => fromMs));
    const busy = busyMs / (CONFIG.WORKER_CONCURRENCY * lastedMs);
    await annotate(`${(busy * 100).toFixed(1)} % of the time of ${CONFIG.WORKER_CONCURRENCY} slots`);
    expect(busy).toBeGreaterThan(LEAST_BUSY);
  });

  test('of a worker that ends its jobs and takes no more leave others of its build their slots', async () => {
    const { job, payloadJson, ...holder } = createHolder('draining', SLOW_MS);
    const submit = (hold: boolean) =>
      workers.submit(
        'draining',
        { type: job.type, payloadJson: payloadJson(hold) },
        CONFIG.WORKER_CONCURRENCY,
      );
    const leaving = await workers.startBuild(job);
    await submit(true);
    await waitUntil(() => holder.held() === CONFIG.WORKER_CONCURRENCY, { until: 'every hand is full' });
    await workers.startBuild(job);
    await submit(false);
    await waitUntil(() => holder.ended() === CONFIG.WORKER_CONCURRENCY, { until: 'the other one works' });
    const stopped = leaving.stop();
    const isDraining = async () =>
      (await workers.database.db
        .selectFrom('workers')
        .select('id')
        .where('draining_at', 'is not', null)
        .executeTakeFirst()) !== undefined;
    await waitUntil(isDraining, { until: 'it takes no more' });
    await submit(false);
    const startedMs = performance.now();
    await waitUntil(() => holder.ended() === 2 * CONFIG.WORKER_CONCURRENCY, { until: 'those have run' });
    // It has until half of the time for its shutdown.
    expect(performance.now() - startedMs).toBeLessThan(CONFIG.SHUTDOWN_TIMEOUT_MS / 2);
    expect(holder.held()).toBe(CONFIG.WORKER_CONCURRENCY);
    holder.letGo();
    await stopped;
  });

  test('that hang in another process than the dispatcher are found to be slow, and nothing is dispatched in circles', async () => {
    for (const name of ['greedy', 'other'])
      await addTenant(workers.database.db, secretBox, `${name} ${kind}`);
    const [greedy, other] = [newUuid(), newUuid()];
    const { job, payloadJson, ...holder } = createHolder('hanging', 0);
    const unrelated = defineJob({
      type: 'hanging.other',
      queue: 'hanging',
      payload: z.unknown(),
      run: () => 1,
    });
    await workers.startBuild(unrelated);
    await workers.reaches((await workers.submitOne('hanging', { type: unrelated.type })).id, 'succeeded');
    await workers.startBuild(job);
    const submit = (tenantId: string, hold: boolean, count: number) =>
      workers.submit('hanging', { type: job.type, tenantId, payloadJson: payloadJson(hold) }, count);
    for (const { id } of await submit(greedy, false, 100)) await workers.reaches(id, 'succeeded');
    const jobs = await submit(greedy, true, 80);
    const share = (CONFIG.WORKER_CONCURRENCY * CONFIG.MAX_TENANT_SHARE) / 100;
    await waitUntil(() => holder.held() === share, { until: 'it has its share' });
    const dispatchesAfter = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const [passing] = await submit(other, false, 1);
        await workers.reaches(passing?.id ?? '', 'succeeded');
        await delay(SLOW_MS);
      }
      const rows = await Promise.all(jobs.map(({ id }) => workers.readJob(id)));
      return rows.reduce((sum, { dispatch_no }) => sum + dispatch_no, 0);
    };
    // Until the first heartbeat that tells of it, they are dispatched as often as they are given back; without one, 250 times a round.
    const untilTold = await dispatchesAfter(7);
    expect((await dispatchesAfter(3)) - untilTold).toBeLessThan(jobs.length);
    holder.letGo();
  });
});
