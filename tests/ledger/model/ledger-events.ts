import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import fc from 'fast-check';

/** Something that happens to the ledger; `job` picks one of those there are. */
export type LedgerEvent =
  | { kind: 'insert'; scheduled: boolean; ttl: boolean; keyed: boolean; maxAttempts: number }
  | { kind: 'dispatch' }
  | { kind: 'loseWorker' }
  | { kind: 'rescue' }
  | { kind: 'becomeDue' | 'cancel' | 'expire' | 'replay' | 'discard'; job: number }
  | { kind: 'reschedule'; job: number; isDue: boolean }
  | { kind: 'claim'; job: number; late: 0 | 1; byLostWorker: boolean }
  | { kind: 'takeBack'; job: number; late: 0 | 1 }
  | { kind: 'record'; job: number; stale: 0 | 1; result: AttemptResult };

/** A circuit breaker that stays open. */
export const MODEL_BREAKER = 'model';

const error = { code: 'broken', message: 'It broke.', retryable: true };
const RESULTS: AttemptResult[] = [
  { kind: 'returned', resultJson: '{}' },
  { kind: 'threw', error },
  { kind: 'threw', error: { ...error, retryable: false } },
  { kind: 'timedOut', timeoutMs: 1 },
  { kind: 'aborted', reason: 'canceled' },
  { kind: 'aborted', reason: 'shutdown' },
  { kind: 'aborted', reason: 'suspected' },
  { kind: 'held', breakerId: MODEL_BREAKER, forMs: 3_600_000 },
  { kind: 'threw', error, died: 'handlerProcess' },
  { kind: 'threw', error, died: 'worker' },
];

export const MAX_LOSSES = 3;

const [returned, threw, threwForGood] = RESULTS as [AttemptResult, AttemptResult, AttemptResult];
const canceled: AttemptResult = { kind: 'aborted', reason: 'canceled' };
const shutdown: AttemptResult = { kind: 'aborted', reason: 'shutdown' };
const held: AttemptResult = { kind: 'held', breakerId: MODEL_BREAKER, forMs: 3_600_000 };

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
  [insertOf(), ...attempt(held), on('becomeDue'), ...attempt(returned)],
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
  ...blockedLives(),
];

/** Of two jobs with the key the second one waits in `blocked` once a dispatcher has looked; whatever happens then happens beside it. */
function blockedLives(): LedgerEvent[][] {
  const begin: LedgerEvent[] = [insertOf('keyed'), insertOf('keyed'), { kind: 'dispatch' }];
  const fail = attempt(threwForGood).slice(1);
  return [
    [...begin, ...attempt(threw), ...attempt(returned, 1), on('becomeDue'), ...attempt(returned)],
    [...begin, on('cancel', 1), ...attempt(returned)],
    [...begin, on('expire', 1), ...attempt(returned)],
    [...begin, reschedule('later', 1), reschedule('now', 1), ...attempt(returned), ...attempt(returned, 1)],
    [...begin, { kind: 'takeBack', job: 0, late: 0 }, ...attempt(returned, 1), ...attempt(returned)],
    [...begin, insertOf('scheduled'), on('becomeDue', 2), on('cancel'), ...attempt(returned, 1)],
    [...begin, claim(), { kind: 'loseWorker' }, { kind: 'rescue' }, ...attempt(returned, 1)],
    [...begin, ...fail, on('replay'), ...attempt(returned, 1), ...attempt(returned)],
    [...begin, ...fail, on('discard'), ...attempt(returned, 1)],
  ];
}

function insertOf(as?: 'scheduled' | 'keyed'): LedgerEvent {
  return { kind: 'insert', scheduled: as === 'scheduled', ttl: true, keyed: as === 'keyed', maxAttempts: 2 };
}

function on(kind: 'becomeDue' | 'cancel' | 'expire' | 'replay' | 'discard', job = 0): LedgerEvent {
  return { kind, job };
}

function reschedule(to: 'now' | 'later', job = 0): LedgerEvent {
  return { kind: 'reschedule', job, isDue: to === 'now' };
}

function claim(job = 0): LedgerEvent {
  return { kind: 'claim', job, late: 0, byLostWorker: false };
}

function attempt(result: AttemptResult, job = 0): LedgerEvent[] {
  return [{ kind: 'dispatch' }, claim(job), { kind: 'record', job, stale: 0, result }];
}

const job = fc.nat(3);
const rarely = fc.constantFrom<(0 | 1)[]>(0, 0, 0, 1);

export const ledgerEvent: fc.Arbitrary<LedgerEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      scheduled: fc.boolean(),
      ttl: fc.boolean(),
      keyed: fc.constantFrom(true, true, false),
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
