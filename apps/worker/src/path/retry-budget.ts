import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { RetrySpread } from '@accepted/shared/core/job/decide-outcome';
import { type RecentAttempts, retryStretch } from '@accepted/shared/core/job/retry-budget';

/** Keeps the retry budget of each job type, as far as this process sees it. */
export interface RetryBudget {
  /** Counts an attempt; `attemptsMade` counts it too. */
  count(type: string, attemptsMade: number, nowMs: number): void;
  /** Says by what factor to stretch this type's waits before retries. */
  stretch(type: string, nowMs: number): number;
}

/** What is recent: the current span of time and the one before. */
const SPAN_MS = 30_000;

interface Spans {
  span: number;
  current: RecentAttempts;
  before: RecentAttempts;
}

export function createRetryBudget(): RetryBudget {
  const spansOfType = new Map<string, Spans>();

  function spansOf(type: string, nowMs: number): Spans {
    const span = Math.floor(nowMs / SPAN_MS);
    const known = spansOfType.get(type);
    if (known?.span === span) return known;
    const before = known?.span === span - 1 ? known.current : none();
    const spans = { span, current: none(), before };
    spansOfType.set(type, spans);
    return spans;
  }

  return {
    count(type, attemptsMade, nowMs) {
      const { current } = spansOf(type, nowMs);
      if (attemptsMade > 1) current.retries += 1;
      else current.first += 1;
    },
    stretch(type, nowMs) {
      const { current, before } = spansOf(type, nowMs);
      return retryStretch({
        first: current.first + before.first,
        retries: current.retries + before.retries,
      });
    },
  };
}

/** Counts an attempt that has ended, and says how a retry of its job is spread. */
export function spreadRetry(
  budget: RetryBudget,
  job: Pick<ClaimedJob, 'type' | 'attemptsMade'>,
): RetrySpread {
  const nowMs = performance.now();
  budget.count(job.type, job.attemptsMade, nowMs);
  return { random: Math.random(), stretch: budget.stretch(job.type, nowMs) };
}

function none(): RecentAttempts {
  return { first: 0, retries: 0 };
}
