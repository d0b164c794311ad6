import { setTimeout as delay } from 'node:timers/promises';
import { REFUSALS } from '@accepted/shared/contract/refusals';
import { createProcessCounters } from '@accepted/shared/ledger/queues/process-counters';
import fp from 'fastify-plugin';
import type { Problem } from '../http/problem.ts';

declare module 'fastify' {
  interface FastifyInstance {
    decisions: Decisions;
  }
}

/** Counts what was let in and what was refused, for the metrics; the log tells that there are refusals, and not of each. */
export interface Decisions {
  admitted(queue: string): void;
  refused(problem: Problem): void;
}

/** Whether there is too much, and nothing wrong with what was asked. */
export function isRefusal({ code }: Problem): boolean {
  return Object.hasOwn(REFUSALS, code);
}

const FLUSH_EVERY_MS = 5_000;
/** What a stopping process gives Postgres to take the last numbers. */
const LAST_FLUSH_TIMEOUT_MS = 500;

export const decisions = fp(async (app) => {
  const counters = createProcessCounters<'jobs_admitted' | 'requests_refused'>();
  const flush = () =>
    counters
      .flush(app.pools.admission)
      .catch((error: unknown) => app.log.debug({ err: error }, 'cannot add to the counters'));

  app.decorate('decisions', {
    admitted: (queue) => counters.add('jobs_admitted', queue),
    refused(problem) {
      const policies = (problem.members.violatedPolicies as string[] | undefined) ?? [''];
      for (const policy of policies)
        counters.add('requests_refused', '', 1, `${problem.code} ${policy}`.trim());
      // Where it was thrown tells nobody anything.
      const { code, message } = problem;
      app.log.warn({ err: message, policy: policies.join(' ') }, `requests are refused: ${code}`);
    },
  });
  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS).unref();
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await Promise.race([flush(), delay(LAST_FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
  });
});
