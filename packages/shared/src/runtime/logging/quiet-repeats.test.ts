import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { quietRepeats } from './quiet-repeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const lines: [string, Record<string, unknown>][] = [];
  const write = (fields: Record<string, unknown>, text: string) => void lines.push([text, fields]);
  const failed = quietRepeats(write);
  const fail = (text = 'it failed', about: object = {}) => failed({ err: 'why', ...about }, text, write);

  /** Fails every so many ms. */
  function failFor(ms: number, everyMs: number, text?: string): void {
    for (let passed = 0; passed < ms; passed += everyMs) {
      fail(text);
      vi.advanceTimersByTime(everyMs);
    }
  }
  return { lines, fail, failFor };
}

test('what fails for a minute is told at once, twice with a number, and when it is back', () => {
  const { lines, failFor } = start();
  failFor(60_100, 100);
  vi.advanceTimersByTime(5_000);
  expect(lines).toEqual([
    ['it failed', { err: 'why', repeated: 1 }],
    ['it failed', { err: 'why', repeated: 300 }],
    ['it failed', { err: 'why', repeated: 300 }],
    ['back after 60 s: it failed', { failures: 601 }],
  ]);
});

test.each([5_000, 10_000, 20_000])('so is what is tried again every %d ms', (everyMs) => {
  const { lines, failFor } = start();
  failFor(60_001, everyMs);
  vi.advanceTimersByTime(60_000);
  expect(lines.length).toBeLessThanOrEqual(4);
  expect(lines[0]).toEqual(['it failed', { err: 'why', repeated: 1 }]);
  expect(lines.at(-1)?.[0]).toMatch(/^back after \d+ s: it failed$/);
});

test('what fails once is told once, and what fails again much later is told again', () => {
  const { lines, fail } = start();
  fail();
  vi.advanceTimersByTime(180_000);
  fail();
  vi.advanceTimersByTime(180_000);
  expect(lines).toEqual([
    ['it failed', { err: 'why', repeated: 1 }],
    ['it failed', { err: 'why', repeated: 1 }],
  ]);
});

test('different troubles are told apart, by their text and by what they are about', () => {
  const { lines, fail, failFor } = start();
  fail('one');
  failFor(1_000, 100, 'two');
  fail('three', { step: 'a' });
  fail('three', { step: 'b' });
  expect(lines.map(([text, { step }]) => [text, step])).toEqual([
    ['one', undefined],
    ['two', undefined],
    ['three', 'a'],
    ['three', 'b'],
  ]);
});

test('where each failure is about something else, they are a flood all the same', () => {
  const { lines, fail } = start();
  for (let n = 0; n < 3_000; n += 1) fail('it failed', { jobId: n });
  expect(lines.length).toBe(1_001);
});
