import { expect, test } from 'vitest';
import { createRetryBudgets } from './retry-budgets.ts';

const job = { tenantId: 'one', type: 'failing', attemptsMade: 2 };

test('who has used up its budget waits, and no other type or tenant', () => {
  const budgets = createRetryBudgets(() => 1_000);
  const waitOf = (of: Partial<typeof job> = {}) => budgets.spread({ ...job, ...of }).nextRetryInMs();
  const waits = Array.from({ length: 21 }, () => waitOf());
  expect(waits.slice(0, 20).every((waitMs) => waitMs === 0)).toBe(true);
  expect(waits[20]).toBeGreaterThan(0);
  expect([waitOf({ tenantId: 'other' }), waitOf({ type: 'other' })]).toEqual([0, 0]);
});

test('only what is tried again stands in the line', () => {
  const budgets = createRetryBudgets(() => 1_000);
  for (let attempt = 0; attempt < 100; attempt += 1) budgets.spread(job);
  expect(budgets.spread(job).nextRetryInMs()).toBe(0);
});
