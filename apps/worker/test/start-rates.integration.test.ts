import { defineJob } from '@accepted/job';
import { newUuid } from '@accepted/shared/core/job/id';
import { changeRules, type Ruled } from '@accepted/shared/ledger/limits/rules';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useWorkers } from './use-workers.ts';

const PER_SECOND = 20;
/** What may start at once, and what each dispatcher may hold ahead. */
const AT_ONCE = PER_SECOND / 4 + 2;

describe('jobs that have a rate', () => {
  const workers = useWorkers('redis');

  /** Notes when handlers begin, until so many have. */
  function starting() {
    const atMs: number[] = [];
    const define = (type: string, queue = type) =>
      defineJob({ type, queue, payload: z.unknown(), run: () => void atMs.push(performance.now()) });
    const until = (count: number) =>
      waitUntil(() => atMs.length >= count, { until: `${count} have started`, timeoutMs: 20_000 });
    return { atMs, define, until };
  }

  const layDown = (ruled: Ruled) =>
    workers.database.db
      .transaction()
      .execute((tx) =>
        changeRules(
          tx,
          ruled,
          { ratePerSecond: PER_SECOND },
          { actor: 'test', verb: 'change', reason: 'test' },
        ),
      );

  /** How many started in the busiest second. */
  function mostInASecond(atMs: number[]): number {
    return Math.max(...atMs.map((from) => atMs.filter((at) => at >= from && at < from + 1_000).length));
  }

  async function submitMany(type: string, queue: string, count: number): Promise<void> {
    await workers.submit(type, { queue, tenantId: newUuid() }, count);
  }

  test('of their queue are started by it, over all workers', async () => {
    const { atMs, define, until } = starting();
    const first = await workers.startBuild(define('rated'));
    await layDown({ what: 'queue', key: 'rated' });
    // In force within a second, and at once for who starts.
    await first.stop();
    for (const _ of [1, 2]) await workers.startBuild(define('rated'));
    await submitMany('rated', 'rated', 90);
    await until(90);
    const tookMs = (atMs.at(-1) ?? 0) - (atMs[0] ?? 0);
    expect(tookMs).toBeGreaterThan(((90 - AT_ONCE) / PER_SECOND) * 1_000 * 0.9);
    expect(mostInASecond(atMs)).toBeLessThanOrEqual(PER_SECOND + AT_ONCE);
  });

  test('of their type are started by it over all queues, and others of the queue are not held up', async () => {
    const { atMs, define, until } = starting();
    const others = starting();
    await layDown({ what: 'job_type', key: 'rated-type' });
    await workers.startBuild(define('rated-type', 'first'), others.define('other-type', 'first'));
    await workers.startBuild(define('rated-type', 'second'));
    await submitMany('rated-type', 'first', 45);
    await submitMany('rated-type', 'second', 45);
    await submitMany('other-type', 'first', 200);
    await others.until(200);
    expect(atMs.length).toBeLessThan(90);
    await until(90);
    const tookMs = (atMs.at(-1) ?? 0) - (atMs[0] ?? 0);
    expect(tookMs).toBeGreaterThan(((90 - 2 * AT_ONCE) / PER_SECOND) * 1_000 * 0.9);
    expect(mostInASecond(atMs)).toBeLessThanOrEqual(PER_SECOND + 2 * AT_ONCE);
  });
});
