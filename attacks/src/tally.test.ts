import { expect, test } from 'vitest';
import { createTally } from './tally.ts';

test('a tally counts by kind, and adds up only the kinds that it is asked for', () => {
  const tally = createTally();
  for (const kind of [202, 503, 503, 'no answer']) tally.count(kind);
  expect([tally.of([202]), tally.of([503, 'no answer']), tally.of([200])]).toEqual([1, 3, 0]);
  expect(tally.text()).toBe('503 × 2, 202 × 1, no answer × 1');
});
