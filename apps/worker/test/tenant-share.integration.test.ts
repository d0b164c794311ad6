import { setTimeout as delay } from 'node:timers/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import { waitUntil } from '@accepted/testing/wait-until';
import { beforeAll, describe, expect, test } from 'vitest';
import { CONFIG, type Run, useWorkers } from './use-workers.ts';

const SHARE = 0.8 * CONFIG.WORKER_CONCURRENCY;

/** Jobs whose payload is `{"hold":true}` run until they are let go; tells how many did so at once, now and at most. */
function holdable() {
  const letGo = new AbortController();
  const held = { now: 0, most: 0 };
  const run: Run = async (payload) => {
    if (!(payload as { hold?: boolean }).hold) return 'quick';
    held.now += 1;
    held.most = Math.max(held.most, held.now);
    await delay(60_000, undefined, { signal: letGo.signal, ref: false }).catch(() => undefined);
    held.now -= 1;
    return 'held';
  };
  return { run, held, letGo: () => letGo.abort() };
}

describe.each(['redis', 'postgres'] as const)('on %s, with several tenants', (kind) => {
  const workers = useWorkers(kind);
  const { start, submit, submitOne, reaches } = workers;
  const [greedy, other] = [newUuid(), newUuid()];
  const hold = { tenantId: greedy, payloadJson: '{"hold":true}' };

  beforeAll(async () => {
    for (const name of ['greedy', 'other']) await addTenant(workers.database.db, secretBox, name);
  });

  async function otherIsServed(queue: string): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      const job = await submitOne(queue, { tenantId: other });
      expect(await reaches(job.id, 'succeeded')).toMatchObject({ result: 'quick', attempts_made: 1 });
    }
  }

  async function allEnd(queue: string): Promise<void> {
    const open = workers.database.db.selectFrom('current_jobs').select('id').where('queue', '=', queue);
    await waitUntil(async () => (await open.where('finished_at', 'is', null).execute()).length === 0, {
      until: 'all jobs have ended',
      timeoutMs: 30_000,
    });
  }

  test('one whose jobs do not end leaves slots to the others', async () => {
    const { run, held, letGo } = holdable();
    await start('endless', run);
    await submit('endless', hold, 80);
    await waitUntil(() => held.now === SHARE, { until: 'the tenant has its share' });
    await otherIsServed('endless');
    expect(held).toEqual({ now: SHARE, most: SHARE });
    letGo();
    await allEnd('endless');
  });

  test('one whose jobs were quick until now, too', async () => {
    const { run, held, letGo } = holdable();
    await start('sudden', run);
    await submit('sudden', { tenantId: greedy }, 300);
    await allEnd('sudden');
    await submit('sudden', hold, 80);
    await waitUntil(() => held.now === SHARE, { until: 'the tenant has its share' });
    await otherIsServed('sudden');
    expect(held).toEqual({ now: SHARE, most: SHARE });
    letGo();
    await allEnd('sudden');
  });

  test('of several workers it has its share together', async () => {
    const { run, held, letGo } = holdable();
    await Promise.all([start('several', run), start('several', run)]);
    await submit('several', hold, 80);
    await waitUntil(() => held.now === 2 * SHARE, { until: 'the tenant has its share' });
    await otherIsServed('several');
    expect(held.most).toBe(2 * SHARE);
    letGo();
    await allEnd('several');
  });
});

describe('on redis, with several tenants and workers of one slot', () => {
  const workers = useWorkers('redis', { WORKER_CONCURRENCY: 1 });

  test('one tenant leaves a worker to the others', async () => {
    for (const name of ['greedy', 'other']) await addTenant(workers.database.db, secretBox, name);
    const { run, held, letGo } = holdable();
    await Promise.all([1, 2, 3].map(() => workers.start('ones', run)));
    await workers.submit('ones', { tenantId: newUuid(), payloadJson: '{"hold":true}' }, 20);
    await waitUntil(() => held.now === 2, { until: 'the tenant has its share' });
    const { id } = await workers.submitOne('ones', { tenantId: newUuid() });
    await workers.reaches(id, 'succeeded');
    expect(held.most).toBe(2);
    letGo();
  });
});

describe('on redis, with one tenant', () => {
  const workers = useWorkers('redis');

  test('it has all slots', async () => {
    const { run, held, letGo } = holdable();
    await workers.start('alone', run);
    await workers.submit('alone', { tenantId: newUuid(), payloadJson: '{"hold":true}' }, 80);
    await waitUntil(() => held.now === CONFIG.WORKER_CONCURRENCY, { until: 'it has all slots' });
    letGo();
  });
});
