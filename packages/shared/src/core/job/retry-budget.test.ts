import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

interface Load {
  firstPerSecond: number;
  /** Which part of the attempts fails at a time. */
  failing: (nowMs: number) => number;
  maxAttempts?: number;
  seconds: number;
}

/** Has jobs come evenly, whose attempts fail as is said, with a backoff of a second; answers when each retry came. */
function retriesOf({ firstPerSecond, failing, maxAttempts = 5, seconds }: Load): number[] {
  const budget = new RetryBudget();
  const due = new Map<number, number[]>();
  const retries: number[] = [];
  let failed = 0;
  const attempt = (nowMs: number, made: number) => {
    if (made === 1) budget.countFirst(nowMs);
    else retries.push(nowMs);
    failed += failing(nowMs);
    if (failed < 1 || made >= maxAttempts) return;
    failed -= 1;
    const atMs = nowMs + Math.ceil(Math.max(1_000, budget.nextInMs(nowMs)));
    due.set(atMs, [...(due.get(atMs) ?? []), made + 1]);
  };
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 1) {
    if (nowMs % Math.round(1_000 / firstPerSecond) === 0) attempt(nowMs, 1);
    for (const made of due.get(nowMs) ?? []) attempt(nowMs, made);
    due.delete(nowMs);
  }
  return retries;
}

const between = (times: number[], fromS: number, toS: number) =>
  times.filter((atMs) => atMs >= fromS * 1_000 && atMs < toS * 1_000).length;

test('while everything fails, one retry goes for ten first attempts, and a few more', () => {
  const retries = retriesOf({ firstPerSecond: 50, failing: () => 1, seconds: 300 });
  expect(between(retries, 0, 300)).toBeLessThanOrEqual(0.1 * 50 * 300 + 20);
  expect(between(retries, 60, 300)).toBeGreaterThan(0.08 * 50 * 240);
});

test('when it is over, all have come back within ten minutes', () => {
  const isAway = (nowMs: number) => (nowMs < 60_000 ? 1 : 0);
  const retries = retriesOf({ firstPerSecond: 50, failing: isAway, seconds: 900 });
  expect(retries.length).toBeGreaterThanOrEqual(50 * 60);
  expect(between(retries, 665, 900)).toBe(0);
});

test('who fails now and then waits for nobody', () => {
  const budget = new RetryBudget();
  const waits: number[] = [];
  for (let nowMs = 0; nowMs < 600_000; nowMs += 10) {
    budget.countFirst(nowMs);
    if (nowMs % 200 === 0) waits.push(budget.nextInMs(nowMs));
  }
  expect(Math.max(...waits)).toBe(0);
});

test('what hardly ever runs may be tried again, twenty times a minute', () => {
  const budget = new RetryBudget();
  budget.countFirst(0);
  const waits = Array.from({ length: 22 }, () => budget.nextInMs(1_000));
  expect(waits.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
  expect(waits.slice(20).map(Math.round)).toEqual([3_000, 6_000]);
  expect(budget.nextInMs(200_000)).toBe(0);
});
