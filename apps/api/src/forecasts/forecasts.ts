import { createArrivalLog } from '@accepted/shared/core/fairness/arrival-log';
import type { WaitCode } from '@accepted/shared/core/fairness/explain-wait';
import type { StartEstimate } from '@accepted/shared/core/fairness/start-estimate';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { isTerminal } from '@accepted/shared/core/job/status';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import fp from 'fastify-plugin';
import { createQueueLooks, type JobKind, type QueueLook } from './queue-looks.ts';
import { type Foreseen, retryAfterSeconds, secondsToFinish } from './retry-after.ts';

declare module 'fastify' {
  interface FastifyInstance {
    forecasts: Forecasts;
  }
}

/** What is needed of a job to say when it pays to look at it again. */
export type FollowedJob = Pick<
  ShownJob,
  | 'id'
  | 'tenant_id'
  | 'queue'
  | 'type'
  | 'priority'
  | 'status'
  | 'attempt'
  | 'concurrency_key'
  | 'run_at'
  | 'dispatched_at'
  | 'started_at'
  | 'finished_at'
>;

/** Foresees when jobs start and end: all by one model of each queue, which is looked at once a second at most while anybody asks. */
export interface Forecasts {
  /** When a job starts that comes now, where that was measured and it has to wait. Never waits for Postgres. */
  startOfNew(job: NewJob): StartEstimate | undefined;
  /** Counts a job that was accepted. */
  noteAccepted(job: NewJob): void;
  /** In how many seconds it pays to look at a job again; `undefined` when it is finished. Never waits for Postgres. */
  retryAfterOf(job: FollowedJob): number | undefined;
  /** In how many seconds so many jobs of a queue are done. Never waits for Postgres. */
  secondsToFinish(queue: string, jobs: number): number;
  /** How many jobs of a queue are done a second; `undefined` where nobody knows. Never waits for Postgres. */
  finishedPerSecond(queue: string): number | undefined;
  /** What was seen of a queue a second ago at most. */
  lookAt(queue: string): Promise<QueueLook>;
  /** Whether anything but its turn holds up jobs of a kind, as far as it was seen. */
  areHeldUp(queue: string, kind: JobKind): boolean;
  noteRun(queue: string, kind: JobKind, ranMs: number): void;
}

/** By what was seen earlier nobody is refused, and no prediction is judged. */
const MEASURED_FOR_MS = 5_000;
/** For a hint it is better than nothing. */
const HINTS_FOR_MS = 60_000;
/** How long others ran says something of now. */
const RAN_WITHIN_MS = 60_000;

export const forecasts = fp(async (app) => {
  const log = createArrivalLog(performance.now());
  const looks = createQueueLooks(app, log);

  function foresee(job: FollowedJob): Foreseen {
    const { queue, tenant_id: tenantId, type } = job;
    const runsForMs = looks.timesOf(queue).expected({ tenantId, type });
    const look = looks.latest(queue, HINTS_FOR_MS);
    if (!look) return { startsInMs: 0, runsForMs };
    const startsInMs = startOf(job, look)?.startsInMs;
    return { startsInMs, runsForMs };
  }

  function isGoing({ queue, tenantId, type, refusedBy }: NewJob): boolean {
    const look = looks.latest(queue, MEASURED_FOR_MS);
    return look === undefined || look.heldUpBy({ tenantId, type, refusedBy }).length === 0;
  }

  const perSecondOf = (queue: string) => looks.latest(queue, HINTS_FOR_MS)?.forecast.seen.perSecond;

  app.decorate('forecasts', {
    startOfNew(job) {
      const look = looks.latest(job.queue, MEASURED_FOR_MS);
      if (!look?.isKnown || !isDue(job) || !isGoing(job)) return undefined;
      const start = look.forecast.startOf(job, performance.now());
      return start && start.startsInMs > 0 ? start : undefined;
    },
    noteAccepted(job) {
      looks.noteNew(job.queue);
      if (!isDue(job) || !isGoing(job)) return;
      const nowMs = performance.now();
      log.note(job, nowMs);
      looks.latest(job.queue, HINTS_FOR_MS)?.forecast.add(job, nowMs);
    },
    retryAfterOf(job) {
      const { status, finished_at, started_at } = job;
      if (!isTerminal(status)) {
        const foreseen = foresee(job);
        notePrediction(job, foreseen);
        return retryAfterSeconds(job, foreseen, new Date());
      }
      const isRecent = finished_at !== null && Date.now() - finished_at.getTime() < RAN_WITHIN_MS;
      if (status === 'succeeded' && isRecent && started_at !== null)
        noteRun(
          job.queue,
          { tenantId: job.tenant_id, type: job.type },
          finished_at.getTime() - started_at.getTime(),
        );
      return undefined;
    },
    secondsToFinish: (queue, jobs) => secondsToFinish(jobs, perSecondOf(queue)),
    finishedPerSecond: (queue) => perSecondOf(queue) || undefined,
    lookAt: looks.fresh,
    areHeldUp: (queue, kind) => (looks.latest(queue, MEASURED_FOR_MS)?.heldUpBy(kind).length ?? 0) > 0,
    noteRun,
  });

  function noteRun(queue: string, { tenantId, type }: JobKind, ranMs: number): void {
    looks.timesOf(queue).add({ tenantId, type, jobs: 1, ms: ranMs });
  }

  /** Only what was measured is judged, of jobs that wait for nothing but their turn and were never started. */
  function notePrediction(job: FollowedJob, { startsInMs }: Foreseen): void {
    const { id, tenant_id: tenantId, queue, type, status, attempt, concurrency_key, dispatched_at } = job;
    if (status !== 'queued' || attempt > 0 || concurrency_key !== null || dispatched_at !== null) return;
    const look = looks.latest(queue, MEASURED_FOR_MS);
    if (startsInMs === undefined || !look?.isMeasured || look.heldUpBy({ tenantId, type }).length > 0) return;
    app.predictionErrors.note({ tenantId, id, queue, type, toldAtMs: Date.now(), waitMs: startsInMs });
  }
});

/** `undefined`: that depends on somebody. */
function startOf(job: FollowedJob, look: QueueLook): Pick<StartEstimate, 'startsInMs'> | undefined {
  const { tenant_id: tenantId, type, priority, run_at, dispatched_at, concurrency_key } = job;
  if (dispatched_at !== null) return look.forecast.startInDelivery();
  const codes = look.heldUpBy({ tenantId, type });
  if (codes.some(dependsOnSomebody)) return undefined;
  const { perSecond, inDelivery } = look.forecast.seen;
  if (perSecond === 0) return undefined;
  const isLimited = codes.length > 0 || concurrency_key !== null;
  if (isLimited) return { startsInMs: ((countLines(look) + inDelivery) / perSecond) * 1_000 };
  const waitedMs = Math.max(0, Date.now() - run_at.getTime());
  const nowMs = performance.now();
  return look.forecast.startOf({ tenantId, priority, placedAtMs: nowMs - waitedMs }, nowMs);
}

/** One that is to start later will wait behind what comes until then. */
function isDue({ delayMs = 0, runAt }: NewJob): boolean {
  return delayMs === 0 && (runAt === undefined || runAt.getTime() <= Date.now());
}

/** What is at a limit goes as others end; for this somebody has to do something. */
const DEPENDS_ON_SOMEBODY: ReadonlySet<WaitCode> = new Set([
  'queue_paused',
  'type_paused',
  'tenant_paused',
  'no_worker',
]);
const dependsOnSomebody = (code: WaitCode) => DEPENDS_ON_SOMEBODY.has(code);

function countLines({ outlook }: QueueLook): number {
  return outlook.lines.reduce((sum, { jobs }) => sum + jobs, 0);
}
