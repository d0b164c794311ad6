import type { NewJob } from '@accepted/shared/core/job/new-job';
import fp from 'fastify-plugin';
import { Problem } from '../http/problem.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Throws a problem where so much waits before a job that it may well expire before it starts, by what was seen of its queue a
     * second ago. Never waits for Postgres.
     */
    checkDeadline(job: NewJob): void;
  }
}

const MOST_SECONDS = 300;
/** What is foreseen is off by as much, on the median: of those who are let in all but one in a hundred are to start in time. */
const MARGIN = 1.25;

/** Refuses jobs with a `ttlMs` that nobody would start in time. */
export const deadlines = fp(async (app) => {
  app.decorate('checkDeadline', (job) => {
    const { ttlMs } = job;
    const start = ttlMs === undefined ? undefined : app.forecasts.startOfNew(job);
    if (!start || ttlMs === undefined) return;
    const waitMs = MARGIN * start.p99Ms;
    if (waitMs <= ttlMs) return;
    const seconds = Math.max(1, Math.ceil(((waitMs - ttlMs) / 1_000) * (1 + Math.random() / 2)));
    throw new Problem('deadline_unreachable', {
      headers: { 'retry-after': String(Math.min(seconds, MOST_SECONDS)) },
      members: { predictedWaitMs: rounded(waitMs) },
    });
  });
});

/** To two digits: nobody is to read out of it how many jobs others have. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(2));
}
