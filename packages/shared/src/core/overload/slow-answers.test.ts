import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSlowAnswers } from './slow-answers.ts';

const BUDGET_MS = 50;
const WINDOW_MS = 250;

/** Asks once a millisecond for as many answers, and judges when the window is over. */
function judge(answersMs: number[]) {
  const answers = createSlowAnswers(BUDGET_MS);
  answers.judge(0);
  for (const tookMs of answersMs) answers.ask(0)(tookMs);
  return answers.judge(WINDOW_MS);
}

test('answers are slow where the p95 of their times is over the budget, whatever the times are', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 200 }), (times) => {
      const p95 = times.toSorted((one, other) => one - other)[Math.ceil(0.95 * times.length) - 1] ?? 0;
      expect(judge(times)).toEqual({ isSlow: p95 > BUDGET_MS, windows: 1 });
    }),
  );
});

test('one of twenty may take any time, and two may not', () => {
  const quick = Array.from({ length: 18 }, () => 5);
  expect(judge([...quick, 5, 9_000])).toMatchObject({ isSlow: false });
  expect(judge([...quick, 60, 9_000])).toMatchObject({ isSlow: true });
});

test('a server that does not answer at all is slow once the budget is over, and for as long', () => {
  const answers = createSlowAnswers(BUDGET_MS);
  const answered = answers.ask(0);
  expect(answers.judge(40)).toMatchObject({ isSlow: false });
  expect(answers.judge(300)).toMatchObject({ isSlow: true });
  expect(answers.judge(10_000)).toMatchObject({ isSlow: true });
  answered(10_100);
  expect(answers.judge(10_400)).toMatchObject({ isSlow: true });
  expect(answers.judge(10_700)).toMatchObject({ isSlow: false });
});

test('what was slow before a silence says nothing after it', () => {
  const answers = createSlowAnswers(BUDGET_MS);
  answers.judge(0);
  answers.ask(0)(200);
  expect(answers.judge(60_000)).toEqual({ isSlow: false, windows: 240 });
});
