import type { ArrivalLog } from './arrival-log.ts';
import { estimateStart, type StartEstimate } from './start-estimate.ts';
import {
  type ArrivingJob,
  type ComingJobs,
  createWaitModel,
  type WaitingJobs,
  type WaitModel,
} from './wait-model.ts';

/** Jobs that wait for nothing but their turn, and how long the first of them has. */
export interface GoingJobs extends WaitingJobs {
  ageMs: number;
}

/** A queue as somebody saw it. */
export interface SeenQueue {
  queue: string;
  /** By the clock of the process, as all times here. */
  seenAtMs: number;
  going: readonly GoingJobs[];
  weights: ReadonlyMap<string, number>;
  /** How many jobs are dispatched and not claimed: they go before all else. */
  inDelivery: number;
  /** How many jobs can be started a second. */
  perSecond: number;
}

/** A job that waits, or comes now. */
export interface ForeseenJob extends ArrivingJob {
  /** Since when it has waited, where it does. */
  placedAtMs?: number | undefined;
  /** So many of its tenant and priority at least go before it, and so many of all, where somebody has looked. */
  before?: number | undefined;
  ahead?: number | undefined;
}

/**
 * What comes while a job waits is likely to be what came of late, and what came on the average. Nobody knows for how long a load stays
 * as it is, so a model looks back that far for each, and between them lies what is foreseen.
 */
const LOOK_BACK_MS = { late: 2_000, average: 30_000 };

/** Foresees when jobs of a queue start. `undefined`: nobody works on it. */
export interface Forecast {
  startOf(job: ForeseenJob, nowMs: number): StartEstimate | undefined;
  /** The same of one that is on its way to a worker. */
  startInDelivery(): StartEstimate | undefined;
  /** Counts a job that waits from now on. */
  add(arrival: ArrivingJob, nowMs: number): void;
  /** How many jobs come for each that the log has. */
  readonly comingForEach: number;
  readonly seen: SeenQueue;
}

export interface ForecastOptions {
  /** What this process let in of late. */
  log: ArrivalLog;
  nowMs: number;
  /** The forecast that it follows: what waits more or less than then came here or elsewhere. */
  before?: Forecast | undefined;
}

/** Makes a forecast of what was seen of a queue a moment ago, and of what has come of late. */
export function createForecast(seen: SeenQueue, { log, nowMs, before }: ForecastOptions): Forecast {
  const { queue, seenAtMs, going, inDelivery, perSecond } = seen;
  const comingForEach = before ? followComing(seen, log, before) : 1;
  const model = createModelOf(seen, (lookBackMs) =>
    log.pace(queue, nowMs - lookBackMs, nowMs).map((line) => ({
      ...line,
      perStart: perSecond > 0 ? (line.perSecond * comingForEach) / perSecond : 0,
    })),
  );
  const lines = sumLines(going);
  const startedBy = (nowMs: number) => (Math.max(0, nowMs - seenAtMs) / 1_000) * perSecond;
  const estimate = (ahead: number) => (perSecond > 0 ? estimateStart(ahead, perSecond) : undefined);
  for (const line of log.pace(queue, seenAtMs, nowMs))
    for (let left = log.since({ ...line, queue }, seenAtMs); left >= 1; left -= 1)
      model.add(line, startedBy(nowMs));

  /** How many go before a job of those that waited when somebody looked, or came since. */
  function beforeOf(job: ArrivingJob, placedAtMs: number): number {
    const line = { ...job, queue };
    if (placedAtMs >= seenAtMs) return Math.max(0, model.jobsOf(job) - log.since(line, placedAtMs) - 1);
    const { jobs, ageMs } = lines.get(keyOf(job)) ?? { jobs: 0, ageMs: 0 };
    const firstAtMs = seenAtMs - ageMs;
    if (placedAtMs <= firstAtMs) return 0;
    // As many came before it, of those that still wait, as of those that this process let in.
    const cameBy = (ms: number) => log.since(line, firstAtMs) - log.since(line, ms);
    const came = cameBy(seenAtMs);
    const part =
      log.isCompleteSince(firstAtMs) && came > 0
        ? cameBy(placedAtMs) / came
        : (placedAtMs - firstAtMs) / (seenAtMs - firstAtMs);
    return Math.max(0, jobs * part - 1);
  }

  return {
    startOf({ tenantId, priority, placedAtMs, before, ahead = 0 }, nowMs) {
      const job = { tenantId, priority };
      const known = placedAtMs === undefined ? before : Math.max(before ?? 0, beforeOf(job, placedAtMs));
      return estimate(
        Math.max(ahead, model.aheadOf({ ...job, before: known }, startedBy(nowMs))) + inDelivery,
      );
    },
    startInDelivery: () => estimate(inDelivery),
    add: (arrival, nowMs) => model.add(arrival, startedBy(nowMs)),
    comingForEach,
    seen,
  };
}

/** Between what is foreseen by what came of late, and by what comes on the average. */
function createModelOf(
  { going, weights }: SeenQueue,
  comingOver: (lookBackMs: number) => ComingJobs[],
): Pick<WaitModel, 'aheadOf' | 'add' | 'jobsOf'> {
  const late = createWaitModel(going, weights, comingOver(LOOK_BACK_MS.late));
  /** Where nobody waits nobody needs it. */
  let average: WaitModel | undefined;
  return {
    aheadOf(job, started) {
      const ahead = late.aheadOf(job, started);
      if (ahead === 0) return 0;
      average ??= createWaitModel(late.waiting(), weights, comingOver(LOOK_BACK_MS.average));
      return Math.round(Math.sqrt(ahead * average.aheadOf(job, started)));
    },
    add(arrival, started) {
      late.add(arrival, started);
      average?.add(arrival, started);
    },
    jobsOf: late.jobsOf,
  };
}

const MOST_FOR_EACH = 100;
/** Of fewer jobs, or of looks that are further apart, nothing is to be learnt. */
const LEAST_LEARNT_FROM = 20;
const LEARNT_WITHIN_MS = 5_000;
/** What is started a second is known so well; fewer are no others. */
const NOBODY_ELSE = 1.25;
const SMOOTHING = 0.5;

/** Other processes let jobs in as well, and some come to be tried again. */
function followComing(seen: SeenQueue, log: ArrivalLog, before: Forecast): number {
  const elapsedMs = seen.seenAtMs - before.seen.seenAtMs;
  const noted = countNoted(seen, log, before.seen.seenAtMs);
  if (elapsedMs <= 0 || elapsedMs > LEARNT_WITHIN_MS || noted < LEAST_LEARNT_FROM)
    return before.comingForEach;
  const started = (elapsedMs / 1_000) * before.seen.perSecond;
  const came = countGoing(seen) - countGoing(before.seen) + started;
  const measured = came / noted < NOBODY_ELSE ? 1 : Math.min(MOST_FOR_EACH, came / noted);
  return SMOOTHING * measured + (1 - SMOOTHING) * before.comingForEach;
}

function countNoted({ queue, seenAtMs }: SeenQueue, log: ArrivalLog, thenMs: number): number {
  const lines = log.pace(queue, thenMs, seenAtMs);
  const since = (ms: number) => lines.reduce((sum, line) => sum + log.since({ ...line, queue }, ms), 0);
  return since(thenMs) - since(seenAtMs);
}

function countGoing({ going, inDelivery }: SeenQueue): number {
  return going.reduce((sum, { jobs }) => sum + jobs, inDelivery);
}

const keyOf = ({ tenantId, priority }: ArrivingJob) => `${tenantId} ${priority}`;

function sumLines(going: readonly GoingJobs[]): Map<string, Omit<GoingJobs, keyof ArrivingJob>> {
  const lines = new Map<string, Omit<GoingJobs, keyof ArrivingJob>>();
  for (const line of going) {
    const { jobs, ageMs } = lines.get(keyOf(line)) ?? { jobs: 0, ageMs: 0 };
    lines.set(keyOf(line), { jobs: jobs + line.jobs, ageMs: Math.max(ageMs, line.ageMs) });
  }
  return lines;
}
