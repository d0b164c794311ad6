import { expect, test } from 'vitest';
import { tallyReport } from './run-vitest.ts';

const CLEAN = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const UNLOADED = { name: 'a.test.ts', status: 'failed', assertionResults: [] };

test.each([
  ['all tests passed', CLEAN, true, 0],
  ['a test failed', { ...CLEAN, numFailedTests: 1 }, false, 1],
  ['a test was skipped', { ...CLEAN, numPendingTests: 1 }, true, 1],
  ['a file could not be loaded', { ...CLEAN, testResults: [UNLOADED] }, false, 1],
  ['a promise was rejected that nobody handled', CLEAN, false, 1],
])('when %s, the count of failures says so', (_, report, isContent, failed) => {
  expect(tallyReport(report, isContent)).toEqual({ passed: 5, failed });
});
