import { expect, test } from 'vitest';
import { createRetryBudget } from './retry-budget.ts';

test('a type that fails all the time waits longer and longer, and its neighbour does not', () => {
  const budget = createRetryBudget();
  for (let n = 0; n < 100; n++) budget.count('failing', 1, 1_000);
  for (let n = 0; n < 100; n++) budget.count('failing', 2, 2_000);
  expect(budget.stretch('failing', 3_000)).toBe(5);
  expect(budget.stretch('other', 3_000)).toBe(1);
});

test('what happened a minute ago counts no more', () => {
  const budget = createRetryBudget();
  for (let n = 0; n < 100; n++) budget.count('failing', 2, 1_000);
  expect(budget.stretch('failing', 31_000)).toBe(5);
  expect(budget.stretch('failing', 61_000)).toBe(1);
});
