import { setImmediate } from 'node:timers/promises';
import type { JobKey } from '@accepted/shared/ledger/jobs/job-key';
import { expect, test, vi } from 'vitest';
import { createJobWaiter } from './job-waiter.ts';

const A = { tenantId: 't', id: 'a' };
const B = { tenantId: 't', id: 'b' };

function makeWaiter(findFinished: (jobs: JobKey[]) => Promise<string[]> = async () => []) {
  const errors: unknown[] = [];
  const waiter = createJobWaiter({
    findFinished,
    pollEveryMs: 1_000,
    onError: (error) => errors.push(error),
  });
  return { waiter, errors };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await setImmediate();
  return settled;
}

test('a wake ends all waiting for that job and for no other', async () => {
  const { waiter } = makeWaiter();
  const [a1, a2, b] = [waiter.watch(A), waiter.watch(A), waiter.watch(B)];
  waiter.wake(['a', 'unknown']);
  await Promise.all([a1.finished, a2.finished]);

  expect(await isSettled(b.finished)).toBe(false);
  waiter.wakeAll();
  await b.finished;
});

test('polling asks once for all, goes on after an error, and ends when nobody waits', async () => {
  vi.useFakeTimers();
  try {
    const asked: JobKey[][] = [];
    const { waiter, errors } = makeWaiter(async (jobs) => {
      asked.push(jobs);
      if (asked.length === 1) throw new Error('gone');
      return ['a'];
    });
    const a = waiter.watch(A);
    const b = waiter.watch(B);
    await vi.advanceTimersByTimeAsync(2_000);
    await a.finished;
    expect(asked).toEqual([
      [A, B],
      [A, B],
    ]);
    expect(errors).toHaveLength(1);

    b.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test('stopping one waiter leaves the others of the same job waiting', async () => {
  const { waiter } = makeWaiter();
  const [one, two] = [waiter.watch(A), waiter.watch(A)];
  one.stop();
  await one.finished;
  expect(await isSettled(two.finished)).toBe(false);
  waiter.wake(['a']);
  await two.finished;
});
