import { expect, test } from 'vitest';
import { FAILED, PASSED, SKIPPED, sumUp } from './tally.ts';

test.each([
  ['2 passed, 1 failed', [PASSED, FAILED, PASSED], 1],
  ['1 passed, 0 failed, 2 skipped', [SKIPPED, PASSED, SKIPPED], 0],
  ['7 passed, 3 failed', [{ passed: 6, failed: 3 }, PASSED], 3],
])('the last line says %s', (text, tallies, failed) => {
  expect(sumUp(tallies)).toEqual({ text, failed });
});
