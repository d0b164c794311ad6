import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type DatabaseBudget, spend } from './database-budget.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => undefined);

function after<T>(ms: number, end: () => T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms)).then(end);
}

/** How long a wait goes on before the caller gets its 503. */
async function msUntilSpent(budget: DatabaseBudget): Promise<number> {
  const started = performance.now();
  const spent = expect(spend(budget, never)).rejects.toMatchObject({ code: 'database_unavailable' });
  await vi.runAllTimersAsync();
  await spent;
  return performance.now() - started;
}

test('what several statements take is taken from one budget', async () => {
  const budget = { remainingMs: 900 };
  const first = spend(
    budget,
    after(500, () => 'a'),
  );
  await vi.advanceTimersByTimeAsync(500);
  expect(await first).toBe('a');
  await vi.advanceTimersByTimeAsync(5_000);

  expect(await msUntilSpent(budget)).toBe(400);
  expect(await msUntilSpent(budget)).toBeLessThanOrEqual(1);
});

test('an error comes as it is, and what it took counts', async () => {
  const budget = { remainingMs: 900 };
  const fail = () => {
    throw new Error('no such table');
  };
  const failed = expect(spend(budget, after(300, fail))).rejects.toThrow('no such table');
  await vi.advanceTimersByTimeAsync(300);
  await failed;

  expect(budget.remainingMs).toBe(600);
  expect(vi.getTimerCount()).toBe(0);
});
