import { expect, test } from 'vitest';
import type { CallVerdict } from './call-verdict.ts';
import { Circuit } from './circuit.ts';

const counts = (verdicts: CallVerdict[], circuit = new Circuit()) =>
  verdicts.map((verdict) => circuit.count(verdict));
const times = (verdict: CallVerdict, count: number) => Array.from({ length: count }, () => verdict);

test('it is to be opened by the fifth call of which more than half failed', () => {
  expect(counts(times('failed', 5))).toEqual([false, false, false, false, true]);
  expect(counts([...times('answered', 2), ...times('failed', 3)]).at(-1)).toBe(true);
  expect(counts([...times('answered', 3), ...times('failed', 3)])).not.toContain(true);
});

test('what says nothing of the target counts for nothing', () => {
  expect(counts([...times('failed', 4), ...times('unknown', 100)])).not.toContain(true);
});

test('calls of long ago do not outweigh the latest', () => {
  const circuit = new Circuit();
  counts(times('answered', 1_000), circuit);
  expect(counts(times('failed', 11), circuit).indexOf(true)).toBe(10);
});

test('it is open for a while, then to be tried, and not while somebody tries', () => {
  const circuit = new Circuit();
  expect(circuit.openForMs(0)).toBeUndefined();
  circuit.open(1_000);
  expect([0, 400, 1_000, 5_000].map((nowMs) => circuit.openForMs(nowMs))).toEqual([1_000, 600, 0, 0]);
  circuit.isTried(7_000);
  expect([5_000, 7_000].map((nowMs) => circuit.openForMs(nowMs))).toEqual([2_000, 0]);
  circuit.open(9_000);
  expect(circuit.openForMs(6_000)).toBe(3_000);
});

test('what failed before it was opened does not open it once it is closed', () => {
  const circuit = new Circuit();
  counts(times('failed', 5), circuit);
  circuit.open(1_000);
  circuit.close();
  expect(circuit.openForMs(0)).toBeUndefined();
  expect(counts(times('failed', 4), circuit)).not.toContain(true);
});

test('jobs that are held come back one after the other, the first when it is to be tried', () => {
  const circuit = new Circuit();
  circuit.open(1_000);
  const backInMs = Array.from({ length: 10_000 }, () => circuit.nextInMs(0));
  expect(backInMs.slice(0, 3)).toEqual([1_200, 1_400, 1_600]);
  expect(backInMs.at(-1)).toBe(600_000);
});
