import { whyWaiting } from '@accepted/shared/core/fairness/explain-wait';
import { estimateStart, type StartEstimate } from '@accepted/shared/core/fairness/start-estimate';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { Problem } from '../http/problem.ts';
import type { SeenOutlook } from '../routes/queues/queue-outlooks.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Throws a problem where so much waits before a job that it may well expire before it starts, by what was seen of its queue a
     * second ago. Never waits for Postgres.
     */
    checkDeadline(job: NewJob): void;
    /** Counts a job that waits from now on. */
    noteWaiting(job: NewJob): void;
  }
}

/** What was seen of a queue, and when somebody looked last. */
interface Look {
  outlook: SeenOutlook | undefined;
  askedAtMs: number;
}

const LOOK_EVERY_MS = 1_000;
/** What was seen before says nothing any more. */
const GOOD_FOR_MS = 5_000;
const MOST_QUEUES = 1_000;

/** Refuses jobs with a `ttlMs` that nobody would start in time, and looks only at queues where such jobs come. */
export const deadlines = fp(async (app) => {
  const looks = new LRUCache<string, Look>({ max: MOST_QUEUES });

  function outlookOf(queue: string): SeenOutlook | undefined {
    const nowMs = performance.now();
    const look = looks.get(queue) ?? { outlook: undefined, askedAtMs: Number.NEGATIVE_INFINITY };
    looks.set(queue, look);
    if (nowMs - look.askedAtMs >= LOOK_EVERY_MS) {
      look.askedAtMs = nowMs;
      app.outlookOf(queue).then(
        (outlook) => {
          look.outlook = outlook;
        },
        (error: unknown) => app.log.debug({ err: error }, 'cannot look at a queue'),
      );
    }
    return look.outlook && nowMs - look.outlook.seenAtMs < GOOD_FOR_MS ? look.outlook : undefined;
  }

  app.decorate('checkDeadline', (job) => {
    if (job.ttlMs !== undefined && isDue(job)) judge(job.ttlMs, job, outlookOf(job.queue));
  });
  app.decorate('noteWaiting', (job) => {
    const outlook = looks.peek(job.queue)?.outlook;
    if (outlook && isDue(job) && goes(job, outlook)) outlook.waits.add(job);
  });
});

/** One that is to start later will wait behind what comes until then. */
function isDue({ delayMs = 0, runAt }: NewJob): boolean {
  return delayMs === 0 && (runAt === undefined || runAt.getTime() <= Date.now());
}

/** Whether nothing but those before it holds a job up. */
function goes(
  { tenantId, type, refusedBy = [], concurrencyKey }: NewJob,
  { conditions }: SeenOutlook,
): boolean {
  return (
    whyWaiting({ tenantId, type, refusedBy, blockedBy: concurrencyKey ?? null }, conditions).length === 0
  );
}

function judge(ttlMs: number, job: NewJob, outlook: SeenOutlook | undefined): void {
  const wait = outlook && predictWait(job, outlook);
  if (!wait || wait.p90Ms <= ttlMs) return;
  const seconds = Math.max(1, Math.ceil(((wait.p90Ms - ttlMs) / 1_000) * (1 + Math.random() / 2)));
  throw new Problem('deadline_unreachable', {
    headers: { 'retry-after': String(Math.min(seconds, MOST_SECONDS)) },
    members: { predictedWaitMs: rounded(wait.p90Ms) },
  });
}

const MOST_SECONDS = 300;

/** Predicts how long a job waits that comes now; `undefined` where nobody knows how fast others go, or nothing waits. */
function predictWait(job: NewJob, outlook: SeenOutlook): StartEstimate | undefined {
  const { drainPerSecond, waits, inDelivery, seenAtMs } = outlook;
  if (!drainPerSecond || !goes(job, outlook)) return undefined;
  const startedSince = (drainPerSecond * (performance.now() - seenAtMs)) / 1_000;
  const ahead = waits.aheadOf(job) + inDelivery - startedSince;
  return ahead >= 1 ? estimateStart(Math.round(ahead), drainPerSecond) : undefined;
}

/** To two digits: nobody is to read out of it how many jobs others have. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(2));
}
