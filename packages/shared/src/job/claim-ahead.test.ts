import { expect, test } from 'vitest';
import { claimAhead } from './claim-ahead.ts';

test.each([
  ['handlers that do nothing', 0, 80],
  ['a millisecond', 1, 80],
  ['as long as a claim', 10, 20],
  ['a tenth of a second', 100, 2],
  ['a second', 1_000, 0],
  ['nothing is known yet', Number.POSITIVE_INFINITY, 0],
])('20 handlers of %s', (_name, handlerMs, ahead) => {
  expect(claimAhead(20, handlerMs)).toBe(ahead);
});
