import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttemptedJob, type AttemptResult, decideOutcome } from './decide-outcome.ts';

const job: AttemptedJob = {
  attemptsMade: 1,
  maxAttempts: 3,
  backoff: { type: 'exponential', delayMs: 1_000, maxMs: 60_000, jitter: 'none' },
};
const error = { code: 'handler_error', message: 'no', retryable: true };

describe('decideOutcome', () => {
  test.each<[string, AttemptedJob, AttemptResult, object]>([
    ['a result succeeds', job, { kind: 'returned', resultJson: '1' }, { kind: 'succeed', resultJson: '1' }],
    [
      'an error is tried again after the backoff',
      job,
      { kind: 'threw', error },
      { kind: 'retry', delayMs: 1_000, error },
    ],
    [
      'the backoff doubles with each attempt made',
      { ...job, attemptsMade: 2 },
      { kind: 'threw', error },
      { kind: 'retry', delayMs: 2_000 },
    ],
    [
      'a longer Retry-After is honoured',
      job,
      { kind: 'threw', error, retryAfterMs: 90_000 },
      { kind: 'retry', delayMs: 90_000 },
    ],
    [
      'the last attempt is a dead letter',
      { ...job, attemptsMade: 3 },
      { kind: 'threw', error },
      { kind: 'deadLetter', reason: 'attempts_exhausted', error },
    ],
    [
      'a permanent error is a dead letter at once',
      job,
      { kind: 'threw', error: { ...error, retryable: false } },
      { kind: 'deadLetter', reason: 'permanent_error' },
    ],
    [
      'a timeout is a failed attempt',
      job,
      { kind: 'timedOut', timeoutMs: 5 },
      { kind: 'retry', error: { code: 'timeout' } },
    ],
    [
      'a lost worker is a failed attempt',
      job,
      { kind: 'workerLost' },
      { kind: 'retry', error: { code: 'worker_lost' } },
    ],
    [
      'a job that keeps losing its worker is poison',
      { ...job, attemptsMade: 3 },
      { kind: 'workerLost' },
      { kind: 'deadLetter', reason: 'poison' },
    ],
    ['a canceled attempt cancels the job', job, { kind: 'aborted', reason: 'canceled' }, { kind: 'cancel' }],
    ['a job for another build is released', job, { kind: 'misdirected' }, { kind: 'release' }],
    [
      'so is one that the schema of this build refuses, which is remembered',
      job,
      { kind: 'misdirected', refusedBy: 'schema' },
      { kind: 'release', refusedBy: 'schema' },
    ],
    ['a shutdown releases the job', job, { kind: 'aborted', reason: 'shutdown' }, { kind: 'release' }],
  ])('%s', (_, attempted, result, expected) => {
    expect(decideOutcome(attempted, result, { random: 0.5, stretch: 1 })).toMatchObject(expected);
  });

  test('no job is tried again once its attempts are used up, whatever went wrong', () => {
    const failures = fc.constantFrom<AttemptResult>(
      { kind: 'threw', error },
      { kind: 'timedOut', timeoutMs: 1 },
      { kind: 'workerLost' },
    );
    fc.assert(
      fc.property(
        failures,
        fc.nat(20),
        fc.nat(20),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (result, max, extra, random) => {
          const outcome = decideOutcome({ ...job, maxAttempts: max, attemptsMade: max + extra }, result, {
            random,
            stretch: 1,
          });
          expect(outcome.kind).toBe('deadLetter');
        },
      ),
    );
  });
});
