import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { quietRepeats } from './quiet-repeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const lines: [string, Record<string, unknown>][] = [];
  const write = (fields: Record<string, unknown>, text: string) => void lines.push([text, fields]);
  return { lines, fail: quietRepeats(write, write) };
}

/** Fails every 100 ms. */
function failFor(ms: number, fail: (error: unknown, text: string) => void, text = 'it failed'): void {
  for (let passed = 0; passed < ms; passed += 100) {
    fail('why', text);
    vi.advanceTimersByTime(100);
  }
}

test('what fails for a minute is told at once, twice with a number, and when it is back', () => {
  const { lines, fail } = start();
  failFor(60_100, fail);
  vi.advanceTimersByTime(5_000);
  expect(lines).toEqual([
    ['it failed', { err: 'why', repeated: 1 }],
    ['it failed', { err: 'why', repeated: 300 }],
    ['it failed', { err: 'why', repeated: 300 }],
    ['back after 60 s: it failed', { failures: 601 }],
  ]);
});

test('what fails once is told once, and what fails again later is told again', () => {
  const { lines, fail } = start();
  fail('why', 'it failed');
  vi.advanceTimersByTime(10_000);
  fail('why', 'it failed');
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([
    ['it failed', { err: 'why', repeated: 1 }],
    ['it failed', { err: 'why', repeated: 1 }],
  ]);
});

test('different troubles are told apart', () => {
  const { lines, fail } = start();
  fail('why', 'one');
  failFor(1_000, fail, 'two');
  expect(lines.map(([text]) => text)).toEqual(['one', 'two']);
});
