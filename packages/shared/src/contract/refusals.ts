import type { ProblemDefinition } from './problem-definition.ts';

/** What a request is refused with because there is too much, and not because anything is wrong with it. */
export const REFUSALS = {
  rate_limited: {
    status: 429,
    title: 'Jobs come faster than they may',
    meaning:
      'Your tenant or your API key has submitted as many jobs as it may at a time; `violatedPolicies` says which of them, as `RateLimit` does. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`, and no more a second than `RateLimit-Policy` says. Operators can raise `ratePerSecond` and `burst`.',
  },
  quota_exceeded: {
    status: 429,
    title: 'Your tenant has submitted as many jobs as it may today',
    meaning: 'The daily quota of your tenant is used up. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, when the next day of UTC has begun. Operators can raise `dailyQuota`.',
  },
  tenant_backlog_full: {
    status: 429,
    title: 'Your tenant has as many jobs as it may',
    meaning:
      'Your tenant has as many jobs that are not finished as it may have, in all or in this queue; `violatedPolicies` says which. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`; cancel what is not wanted any more. Operators can raise `maxBacklog` of the tenant, or `maxBacklogPerTenant` of the queue.',
  },
  queue_backlog_full: {
    status: 503,
    title: 'The queue has as many jobs as it may',
    meaning: 'The queue has as many jobs that are not finished as it may have. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`. Operators can add workers, or raise `maxBacklog` of the queue.',
  },
  deadline_unreachable: {
    status: 503,
    title: 'The job would expire before it starts',
    meaning:
      'So much waits before the job that it may well not start within its `ttlMs`: nine of ten such jobs would have started after `predictedWaitMs`. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`, or give the job a longer `ttlMs`. Operators can add workers.',
  },
  dependency_slow: {
    status: 503,
    title: 'The database takes too long',
    meaning:
      'The ledger takes so long to write jobs that as many wait for it as it can write in time. What is less urgent is refused first. Nothing was accepted.',
    remedy:
      'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`. Operators: see what PostgreSQL and its disk are busy with; `DATABASE_LATENCY_BUDGET_MS` says how long a batch may take.',
  },
  overloaded: {
    status: 503,
    title: 'This server has too much to do',
    meaning:
      'What is under way is as much as this server can keep its promises for; `detail` says of what. Nothing was promised.',
    remedy: 'Send the request again after `Retry-After` seconds, with the same `Idempotency-Key`.',
  },
} as const satisfies Record<string, ProblemDefinition>;
