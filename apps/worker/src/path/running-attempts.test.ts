import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { describe, expect, test } from 'vitest';
import { createRunningAttempts } from './running-attempts.ts';

const job = { id: 'a', type: 'test.noop', attempt: 1 };
const returned: AttemptResult = { kind: 'returned', resultJson: '1' };
const stopped: AttemptResult = { kind: 'aborted', reason: 'shutdown' };

describe('an attempt that is blamed for an exception', () => {
  test('is told to stop, and fails of the first one', () => {
    const attempt = createRunningAttempts().begin(job);
    expect(attempt.blame(new Error('first'))).toBe(true);
    expect(attempt.blame(new Error('second'))).toBe(true);
    expect(attempt.signal.reason).toBe('shutdown');
    expect(attempt.resultAfter(stopped)).toMatchObject({
      kind: 'threw',
      error: { message: expect.stringContaining('first') },
    });
  });

  test('keeps the result that it has all the same', () => {
    const attempt = createRunningAttempts().begin(job);
    attempt.blame(new Error('left behind'));
    expect(attempt.resultAfter(returned)).toBe(returned);
  });

  test('is none when it has ended', () => {
    const attempt = createRunningAttempts().begin(job);
    attempt.end();
    expect(attempt.blame(new Error('late'))).toBe(false);
    expect(attempt.signal.aborted).toBe(false);
    expect(attempt.resultAfter(stopped)).toBe(stopped);
  });
});
