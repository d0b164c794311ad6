import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttemptedJob, type AttemptResult, decideOutcome, UNCOUNTED } from './decide-outcome.ts';

const job: AttemptedJob = {
  attemptsMade: 1,
  maxAttempts: 3,
  backoff: { type: 'exponential', delayMs: 1_000, maxMs: 60_000, jitter: 'none' },
  suspect: false,
};
const error = { code: 'handler_error', message: 'no', retryable: true };

test('a retry waits for its backoff, and for its place among those that there may be', () => {
  const threw: AttemptResult = { kind: 'threw', error };
  const delayOf = (inMs: number, result = threw) =>
    decideOutcome(job, result, { random: 0, nextRetryInMs: () => inMs });
  expect(delayOf(500)).toMatchObject({ kind: 'retry', delayMs: 1_000 });
  expect(delayOf(7_000)).toMatchObject({ kind: 'retry', delayMs: 7_000 });
  expect(delayOf(7_000, { ...threw, retryAfterMs: 9_000 })).toMatchObject({ delayMs: 9_000 });
});

test('who is not tried again takes no place', () => {
  const nextRetryInMs = () => {
    throw new Error('It took a place.');
  };
  expect(
    decideOutcome(job, { kind: 'returned', resultJson: '1' }, { random: 0, nextRetryInMs }),
  ).toMatchObject({
    kind: 'succeed',
  });
  const held: AttemptResult = { kind: 'held', breakerId: 'one', forMs: 5 };
  expect(decideOutcome(job, held, { random: 0, nextRetryInMs })).toEqual({
    kind: 'hold',
    delayMs: 5,
    breakerId: 'one',
  });
});

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
    [
      'what was lost alone with its worker has a process of its own in the next attempt',
      job,
      { kind: 'workerLost' },
      { kind: 'retry', suspect: true },
    ],
    [
      'what may have been lost by the doing of another is given back and has a process of its own',
      { ...job, attemptsMade: 3 },
      { kind: 'lostWithWorker', losses: 4, maxLosses: 5 },
      { kind: 'release', suspect: true, loss: { code: 'worker_lost' } },
    ],
    [
      'what is lost with its workers again and again is not tried for ever',
      job,
      { kind: 'lostWithWorker', losses: 5, maxLosses: 5 },
      {
        kind: 'deadLetter',
        reason: 'poison',
        suspect: true,
        error: { message: expect.stringContaining('5 times') },
      },
    ],
    [
      'a suspect that ends its own process is tried again as one',
      { ...job, suspect: true },
      { kind: 'threw', error, died: 'handlerProcess' },
      { kind: 'retry', delayMs: 1_000, error, suspect: true },
    ],
    [
      'a suspect whose last attempt ends its own process is poison',
      { ...job, suspect: true, attemptsMade: 3 },
      { kind: 'threw', error, died: 'handlerProcess' },
      { kind: 'deadLetter', reason: 'poison', suspect: true },
    ],
    [
      'a suspect that ends a process in which others had run is given back, and the loss is counted',
      { ...job, suspect: true, attemptsMade: 3 },
      { kind: 'threw', error, died: 'usedProcess' },
      { kind: 'release', suspect: true, loss: error },
    ],
    [
      'an isolated handler that ends its process is no poison when it never was suspect',
      { ...job, attemptsMade: 3 },
      { kind: 'threw', error, died: 'handlerProcess' },
      { kind: 'deadLetter', reason: 'attempts_exhausted' },
    ],
    [
      'a handler that takes its worker along has a process of its own next',
      job,
      { kind: 'threw', error, died: 'worker' },
      { kind: 'retry', suspect: true },
    ],
    [
      'a job given back because of something beside it has a process of its own next',
      job,
      { kind: 'aborted', reason: 'suspected' },
      { kind: 'release', suspect: true },
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
    expect(decideOutcome(attempted, result, { ...UNCOUNTED, random: 0.5 })).toMatchObject(expected);
  });

  test.each<AttemptResult>([
    { kind: 'returned', resultJson: '1' },
    { kind: 'threw', error },
    { kind: 'timedOut', timeoutMs: 1 },
    { kind: 'aborted', reason: 'canceled' },
  ])('a suspect whose own process lived through the attempt ($kind) is cleared', (result) => {
    const outcome = decideOutcome({ ...job, suspect: true }, result, { ...UNCOUNTED, random: 0 });
    expect(outcome).not.toHaveProperty('suspect');
  });

  test('no job is tried again once its attempts are used up, whatever went wrong', () => {
    const failures = fc.constantFrom<AttemptResult>(
      { kind: 'threw', error },
      { kind: 'timedOut', timeoutMs: 1 },
      { kind: 'workerLost' },
      { kind: 'threw', error, died: 'worker' },
      { kind: 'threw', error, died: 'handlerProcess' },
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
            ...UNCOUNTED,
          });
          expect(outcome.kind).toBe('deadLetter');
        },
      ),
    );
  });
});
