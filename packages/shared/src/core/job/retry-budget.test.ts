import { expect, test } from 'vitest';
import { retryStretch } from './retry-budget.ts';

test.each([
  ['nothing happened yet', { first: 0, retries: 0 }, 1],
  ['a rare type may always retry', { first: 1, retries: 20 }, 1],
  ['a tenth of the first attempts are retries', { first: 1_000, retries: 100 }, 1],
  ['twice the budget doubles the waits', { first: 1_000, retries: 200 }, 2],
  ['everything fails', { first: 1_000, retries: 5_000 }, 10],
])('%s', (_, recent, stretch) => {
  expect(retryStretch(recent)).toBe(stretch);
});
