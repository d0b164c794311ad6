import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { RetrySpread } from '@accepted/shared/core/job/decide-outcome';
import { RetryBudget } from '@accepted/shared/core/job/retry-budget';
import { LRUCache } from 'lru-cache';

/** Keeps the retry budget of each job type and tenant, as far as this process sees it: nobody uses up that of others. */
export interface RetryBudgets {
  /** Counts an attempt that has ended, and says how a retry of its job is spread. */
  spread(job: Pick<ClaimedJob, 'tenantId' | 'type' | 'attemptsMade'>): RetrySpread;
}

const MOST_BUDGETS = 10_000;

export function createRetryBudgets(now = () => performance.now()): RetryBudgets {
  const budgets = new LRUCache<string, RetryBudget>({ max: MOST_BUDGETS });

  return {
    spread({ tenantId, type, attemptsMade }) {
      const key = `${tenantId} ${type}`;
      const budget = budgets.get(key) ?? new RetryBudget();
      budgets.set(key, budget);
      if (attemptsMade <= 1) budget.countFirst(now());
      return { random: Math.random(), nextRetryInMs: () => budget.nextInMs(now()) };
    },
  };
}
