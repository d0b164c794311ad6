/** Counts what a part of the test run found. What was skipped could not be asked here, and says why. */
export interface Tally {
  passed: number;
  failed: number;
  skipped?: number;
}

export const PASSED: Tally = { passed: 1, failed: 0 };
export const FAILED: Tally = { passed: 0, failed: 1 };
export const SKIPPED: Tally = { passed: 0, failed: 0, skipped: 1 };

/** Sums tallies up in the words of the last line: `N passed, N failed`, and what was skipped, if anything was. */
export function sumUp(tallies: Tally[]): { text: string; failed: number } {
  const sum = (count: (tally: Tally) => number | undefined) =>
    tallies.reduce((total, tally) => total + (count(tally) ?? 0), 0);
  const [passed, failed, skipped] = [
    sum((tally) => tally.passed),
    sum((tally) => tally.failed),
    sum((tally) => tally.skipped),
  ];
  return { text: `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`, failed };
}
