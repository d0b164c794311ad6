import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { defineJob } from '@accepted/job';
import { listAdaptiveLimits } from '@accepted/shared/ledger/limits/adaptive-limits';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CONFIG, useWorkers } from './use-workers.ts';

const QUEUE = 'shared';
const QUICK_MS = 20;
const SLOW_MS = 2_000;
/** So many that some run for a few seconds, until it is known how quick they are. */
const KNOWN_AFTER = 2_000;
const HELD_DOWN = 60;

/** Two types of one queue, of which the jobs of one take as long as they are told. */
function createTypes() {
  const state = { takesMs: QUICK_MS, running: 0, most: 0, ended: 0 };
  const payload = z.unknown();
  const dependent = defineJob({
    type: 'shared.dependent',
    queue: QUEUE,
    payload,
    async run() {
      state.running += 1;
      state.most = Math.max(state.most, state.running);
      await delay(state.takesMs);
      state.running -= 1;
      state.ended += 1;
    },
  });
  const other = defineJob({ type: 'shared.other', queue: QUEUE, payload, run: () => delay(QUICK_MS) });
  return { state, dependent, other };
}

describe.each(['redis', 'postgres'] as const)('on %s', (kind) => {
  const workers = useWorkers(kind);

  test('a type whose handlers become slow leaves the other its slots, and has its own back afterwards', async () => {
    const { state, dependent, other } = createTypes();
    await workers.startBuild(dependent, other);
    const submit = ({ type }: { type: string }, jobs = 1) => workers.submit(QUEUE, { type }, jobs);
    async function otherIsServed(): Promise<void> {
      for (const { id } of await submit(other)) await workers.reaches(id, 'succeeded');
    }

    await submit(dependent, KNOWN_AFTER);
    const allEnd = (jobs: number) =>
      waitUntil(() => state.ended === jobs, { until: 'all have ended', timeoutMs: 60_000 });
    await allEnd(KNOWN_AFTER);
    await otherIsServed();
    expect(await listAdaptiveLimits(workers.database.db)).toEqual([]);

    state.takesMs = SLOW_MS;
    await submit(dependent, HELD_DOWN);
    await waitUntil(() => state.running === CONFIG.WORKER_CONCURRENCY, { until: 'it has all slots' });
    const told = () => listAdaptiveLimits(workers.database.db);
    const heldDown = [{ queue: QUEUE, type: dependent.type, most: 1 }];
    await waitUntil(async () => isDeepStrictEqual(await told(), heldDown), {
      until: 'it is held down',
      timeoutMs: 15_000,
    });
    await waitUntil(() => state.running <= 1, {
      until: 'those have ended that had all slots',
      timeoutMs: 15_000,
    });
    state.most = state.running;
    const beganMs = performance.now();
    for (let round = 0; round < 10; round += 1) await otherIsServed();
    // One after the other they would have to wait for slow ones to end, each for two seconds or part of it.
    expect(performance.now() - beganMs).toBeLessThan(2 * SLOW_MS);
    expect(state.most).toBeLessThanOrEqual(1);

    state.takesMs = QUICK_MS;
    await allEnd(KNOWN_AFTER + HELD_DOWN);
    await otherIsServed();
    await waitUntil(async () => (await told()).length === 0, {
      until: 'nothing is held down',
      timeoutMs: 15_000,
    });
  });
});
