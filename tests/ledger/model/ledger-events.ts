import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import fc from 'fast-check';

/** Something that happens to the ledger; `job` picks one of those there are. */
export type LedgerEvent =
  | { kind: 'insert'; scheduled: boolean; ttl: boolean; maxAttempts: number }
  | { kind: 'dispatch' }
  | { kind: 'loseWorker' }
  | { kind: 'rescue' }
  | { kind: 'becomeDue' | 'cancel' | 'expire' | 'replay' | 'discard'; job: number }
  | { kind: 'reschedule'; job: number; isDue: boolean }
  | { kind: 'claim'; job: number; late: 0 | 1; byLostWorker: boolean }
  | { kind: 'takeBack'; job: number; late: 0 | 1 }
  | { kind: 'record'; job: number; stale: 0 | 1; result: AttemptResult };

const error = { code: 'broken', message: 'It broke.', retryable: true };
const RESULTS: AttemptResult[] = [
  { kind: 'returned', resultJson: '{}' },
  { kind: 'threw', error },
  { kind: 'threw', error: { ...error, retryable: false } },
  { kind: 'timedOut', timeoutMs: 1 },
  { kind: 'aborted', reason: 'canceled' },
  { kind: 'aborted', reason: 'shutdown' },
  { kind: 'aborted', reason: 'suspected' },
  { kind: 'threw', error, died: 'handlerProcess' },
  { kind: 'threw', error, died: 'worker' },
];

export const MAX_LOSSES = 3;

const [returned, threw] = RESULTS as [AttemptResult, AttemptResult];
const canceled: AttemptResult = { kind: 'aborted', reason: 'canceled' };
const shutdown: AttemptResult = { kind: 'aborted', reason: 'shutdown' };

/** Lives of single jobs that go through every transition there is; what is random may miss a rare one. */
export const LIVES: LedgerEvent[][] = [
  [insertOf('scheduled'), on('becomeDue'), ...attempt(returned)],
  [
    insertOf(),
    ...attempt(threw),
    on('becomeDue'),
    ...attempt(shutdown),
    ...attempt(threw),
    on('replay'),
    on('cancel'),
  ],
  [insertOf(), ...attempt(threw), on('cancel')],
  [insertOf(), ...attempt(threw), on('expire')],
  [insertOf(), ...attempt(canceled)],
  [insertOf(), on('expire')],
  [insertOf('scheduled'), on('cancel')],
  [insertOf('scheduled'), on('expire')],
  [
    insertOf(),
    { kind: 'dispatch' },
    reschedule('later'),
    reschedule('later'),
    reschedule('now'),
    ...attempt(threw),
    reschedule('later'),
    reschedule('now'),
    ...attempt(returned),
    reschedule('now'),
  ],
];

function insertOf(scheduled?: 'scheduled'): LedgerEvent {
  return { kind: 'insert', scheduled: scheduled !== undefined, ttl: true, maxAttempts: 2 };
}

function on(kind: 'becomeDue' | 'cancel' | 'expire' | 'replay'): LedgerEvent {
  return { kind, job: 0 };
}

function reschedule(to: 'now' | 'later'): LedgerEvent {
  return { kind: 'reschedule', job: 0, isDue: to === 'now' };
}

function attempt(result: AttemptResult): LedgerEvent[] {
  const claim = { kind: 'claim', job: 0, late: 0, byLostWorker: false } as const;
  return [{ kind: 'dispatch' }, claim, { kind: 'record', job: 0, stale: 0, result }];
}

const job = fc.nat(3);
const rarely = fc.constantFrom<(0 | 1)[]>(0, 0, 0, 1);

export const ledgerEvent: fc.Arbitrary<LedgerEvent> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      scheduled: fc.boolean(),
      ttl: fc.boolean(),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'dispatch' as const }) },
  { weight: 1, arbitrary: fc.constantFrom<LedgerEvent[]>({ kind: 'loseWorker' }, { kind: 'rescue' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['becomeDue', 'becomeDue', 'cancel', 'expire', 'replay', 'replay', 'discard'] as const),
      ),
      job,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('reschedule' as const), job, isDue: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      job,
      late: rarely,
      byLostWorker: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeBack' as const), job, late: rarely }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      job,
      stale: rarely,
      result: fc.constantFrom(...RESULTS),
    }),
  },
);
