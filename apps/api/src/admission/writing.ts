import { PRIORITIES } from '@accepted/shared/core/job/priority';
import {
  createLatencyLimit,
  type LatencyLimit,
  type Writer,
} from '@accepted/shared/core/overload/latency-limit';
import { createPace } from '@accepted/shared/core/overload/pace';
import { createReturnLine, wholeSeconds } from '@accepted/shared/core/overload/return-line';
import fp from 'fastify-plugin';
import { Problem } from '../http/problem.ts';

/** Bounds how many jobs wait for Postgres, by how long it takes. */
export interface Writing extends Pick<LatencyLimit, 'ask' | 'leave' | 'size'> {
  /** Lets a job in that is to be written now; throws a problem where as many are under way as Postgres writes in time. */
  admit(job: Writer): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    writing: Writing;
  }
}

export interface WritingOptions {
  /** The p95 of what Postgres may take for a batch of jobs. */
  budgetMs: number;
  /** How many jobs may be under way in any case, and at most. */
  least: number;
  most: number;
}

/** Postgres may be quick again at any moment, and other processes may find it so now. */
const MOST_RETURN_MS = 30_000;

/** Refuses jobs while Postgres takes too long, the least urgent first, rather than have them wait. */
export const writing = fp<WritingOptions>(async (app, options) => {
  const limit = createLatencyLimit(options);
  // What is less urgent is let in more slowly, and has a line of its own.
  const lines = PRIORITIES.map(() => ({ returns: createReturnLine(MOST_RETURN_MS), letIn: createPace() }));

  function refusal(priority: number, nowMs: number): Problem {
    const { returns, letIn } = lines[priority] as (typeof lines)[number];
    const seconds = wholeSeconds(returns.nextInMs(nowMs, letIn.perSecond(nowMs)));
    return new Problem('dependency_slow', {
      headers: { 'retry-after': String(seconds) },
      members: { violatedPolicies: ['database-latency'] },
    });
  }

  app.decorate('writing', {
    ask: limit.ask,
    leave: limit.leave,
    size: limit.size,
    admit(job) {
      const nowMs = performance.now();
      if (!limit.enter(job, nowMs)) throw refusal(job.priority, nowMs);
      lines[job.priority]?.letIn.count(nowMs);
    },
  });
});
