import {
  type AttemptResult,
  decideOutcome,
  type Outcome,
  UNCOUNTED,
} from '@accepted/shared/core/job/decide-outcome';
import { isTerminal, type JobEvent, type JobStatus, TRANSITIONS } from '@accepted/shared/core/job/status';

/** A job as the model knows it: what the ledger must agree with after every event. */
export interface ModelJob {
  id: string;
  status: JobStatus;
  token: number;
  attemptsMade: number;
  maxAttempts: number;
  replayRound: number;
  dispatchNo: number;
  /** Only meaningful while `queued`. */
  dispatched: boolean;
  ttl: 'none' | 'waiting' | 'passed';
  cancelRequested: boolean;
  workerId: string | null;
  /** Whether it shares the one key there is. */
  isKeyed: boolean;
  suspect: boolean;
  losses: number;
  /** How many jobs its worker ran when that was lost. */
  runningWhenLost: number | null;
  letterIsOpen: boolean;
  /** Tokens whose outcome was recorded, in order. */
  recorded: number[];
  acts: { replayed: number; discarded: number };
}

export const BACKOFF = { type: 'fixed', delayMs: 3_600_000, jitter: 'none' } as const;

export const KEY = { concurrencyKey: 'model', concurrencyLimit: 1 } as const;

export function newModelJob(
  id: string,
  {
    isScheduled,
    hasTtl,
    isKeyed,
    maxAttempts,
  }: Record<'isScheduled' | 'hasTtl' | 'isKeyed', boolean> & { maxAttempts: number },
): ModelJob {
  return {
    id,
    isKeyed,
    status: isScheduled ? 'scheduled' : 'queued',
    token: 0,
    attemptsMade: 0,
    maxAttempts,
    replayRound: 0,
    dispatchNo: 0,
    dispatched: false,
    ttl: hasTtl ? 'waiting' : 'none',
    cancelRequested: false,
    workerId: null,
    suspect: false,
    losses: 0,
    runningWhenLost: null,
    letterIsOpen: false,
    recorded: [],
    acts: { replayed: 0, discarded: 0 },
  };
}

/** Moves a job by the table of transitions; an event that is not legal changes nothing and answers `false`. */
export function move(job: ModelJob, event: JobEvent): boolean {
  const next = TRANSITIONS[job.status][event];
  if (!next) return false;
  job.status = next;
  if (next !== 'running') job.workerId = null;
  if (next === 'queued') job.dispatched = false;
  return true;
}

/** A job that was started once expires no more. */
export function isOverdue(job: ModelJob): boolean {
  return job.ttl === 'passed' && job.token === 0;
}

/**
 * Answers who goes when a dispatcher has room for all: whoever waits, and of those with the key as many as it has slots left. Which of
 * these, the dispatcher has chosen.
 */
export function dispatch(jobs: ModelJob[], isChosen: (job: ModelJob) => boolean): ModelJob[] {
  const waiting = jobs.filter(({ status, dispatched }) => status === 'queued' && !dispatched);
  const slots = KEY.concurrencyLimit - jobs.filter((job) => job.isKeyed && isInFlight(job)).length;
  const keyed = waiting.filter(({ isKeyed }) => isKeyed);
  const chosenFirst = [...keyed.filter(isChosen), ...keyed.filter((job) => !isChosen(job))];
  const going = [...waiting.filter(({ isKeyed }) => !isKeyed), ...chosenFirst.slice(0, Math.max(0, slots))];
  for (const job of going) Object.assign(job, { dispatched: true, dispatchNo: job.dispatchNo + 1 });
  return going;
}

function isInFlight({ status, dispatched }: ModelJob): boolean {
  return status === 'running' || (status === 'queued' && dispatched);
}

export function takeBack(job: ModelJob, dispatchNo: number): void {
  if (job.status !== 'queued' || !job.dispatched || job.dispatchNo !== dispatchNo) return;
  job.dispatched = false;
}

/** Answers whether the job waits, so that it could be given another time. */
export function reschedule(job: ModelJob, isDue: boolean): boolean {
  if (!TRANSITIONS[job.status].rescheduled) return false;
  move(job, isDue ? 'becameDue' : 'rescheduled');
  return true;
}

/** Answers whether the claim gets the job. */
export function claim(job: ModelJob, dispatchNo: number, worker: { id: string; isLost: boolean }): boolean {
  const isFor = job.dispatched && job.dispatchNo === dispatchNo && !isOverdue(job) && !worker.isLost;
  if (!isFor || !move(job, 'claimed')) return false;
  job.workerId = worker.id;
  job.token += 1;
  job.attemptsMade += 1;
  return true;
}

const EVENT_OF: Record<Outcome['kind'], JobEvent> = {
  succeed: 'succeeded',
  retry: 'failedForNow',
  deadLetter: 'failedForGood',
  cancel: 'canceled',
  release: 'released',
  hold: 'held',
};

/** Decides as a worker does that runs, or believes to run, the attempt with this token. */
export function outcomeOf(job: ModelJob, result: AttemptResult): Outcome {
  const { attemptsMade, maxAttempts, suspect } = job;
  const attempted = { attemptsMade, maxAttempts, suspect, backoff: BACKOFF };
  return decideOutcome(attempted, result, { ...UNCOUNTED, random: 0 });
}

/** Answers the status that was recorded, or `fenced`. */
export function record(job: ModelJob, token: number, outcome: Outcome): JobStatus | 'fenced' {
  if (job.status !== 'running' || job.token !== token) return 'fenced';
  const event = EVENT_OF[outcome.kind];
  const isGivenBack = event === 'released' || event === 'held';
  const comesBack = event === 'failedForNow' || isGivenBack;
  move(job, job.cancelRequested && comesBack ? 'canceled' : event);
  if (isGivenBack) job.attemptsMade -= 1;
  if (outcome.kind === 'release' && outcome.loss) job.losses += 1;
  if ('suspect' in outcome) job.suspect = true;
  else if (!isGivenBack) job.suspect = false;
  job.runningWhenLost = null;
  if (outcome.kind === 'deadLetter') job.letterIsOpen = true;
  job.recorded.push(token);
  return job.status;
}

export function cancel(job: ModelJob): void {
  if (isTerminal(job.status)) return;
  job.cancelRequested = true;
  if (job.status !== 'running') move(job, 'canceled');
}

export function replay(job: ModelJob): void {
  if (!job.letterIsOpen || !move(job, 'replayed')) return;
  Object.assign(job, { attemptsMade: 0, replayRound: job.replayRound + 1, ttl: 'none', letterIsOpen: false });
  job.losses = 0;
  job.cancelRequested = false;
  job.acts.replayed += 1;
}

export function discard(job: ModelJob): void {
  if (!job.letterIsOpen) return;
  job.letterIsOpen = false;
  job.acts.discarded += 1;
}
