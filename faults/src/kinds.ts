import type { JobStatus } from '@accepted/shared/core/job/status';

/**
 * What a job is there to do, and the statuses it may end in. A canceled job may have been done already; a job that
 * fails for good may be replayed later and then succeeds.
 */
export const JOB_KINDS = {
  plain: ['succeeded'],
  retry: ['succeeded'],
  webhook: ['succeeded'],
  slow: ['succeeded'],
  /** Takes longer than a worker has to end in order; submitted by a deploy. */
  long: ['succeeded'],
  timeout: ['succeeded'],
  scheduled: ['succeeded'],
  /** Shares a concurrency key with others, also of another type and queue; one of them may run at once. */
  limited: ['succeeded'],
  /** Of a type of which only so many may run at once, in two queues. */
  bounded: ['succeeded'],
  /** Its time to live is over as soon as it is due: hardly any worker is that quick. */
  expiring: ['expired', 'succeeded'],
  /** Like `webhook`, but its receiver speaks TLS. */
  tlsWebhook: ['succeeded'],
  /** Of another tenant, which has a receiver of its own. */
  neighbour: ['succeeded'],
  isolated: ['succeeded'],
  /** Holds up its worker's event loop for longer than the lease, once. */
  blocking: ['succeeded'],
  /** Submitted when a fault has ended: its end is the fault's `recoveredAt`. */
  probe: ['succeeded'],
  canceled: ['canceled', 'succeeded'],
  permanent: ['failed', 'succeeded'],
  /** Kills its worker in every attempt. */
  poison: ['failed'],
  /** Takes its worker's memory in every attempt. */
  leaking: ['failed'],
  /** Runs for long beside jobs that kill their process, and must not notice. */
  bystander: ['succeeded'],
  /** Ends its process after it has returned. */
  throwing: ['succeeded'],
  /** Of two tenants of their own that wait at the same time, when all faults are over. */
  weighedLight: ['succeeded'],
  weighedHeavy: ['succeeded'],
  /** Of two tenants that have jobs waiting in a queue of their own all the time. */
  steadyLight: ['succeeded'],
  steadyHeavy: ['succeeded'],
  /** Of tenants that submit more than they may: a second, or that are not finished. */
  rated: ['succeeded'],
  crowded: ['succeeded'],
  /** Of a deploy of three builds: each may have one attempt, and only some of the builds take it. */
  firstBuild: ['succeeded'],
  secondBuild: ['succeeded'],
  thirdBuild: ['succeeded'],
  addedBySecond: ['succeeded'],
  addedByThird: ['succeeded'],
} as const satisfies Record<string, readonly JobStatus[]>;

export type JobKind = keyof typeof JOB_KINDS;

/** What a fault is counted as, beside its kind. */
export interface FaultTraits {
  engines: readonly EngineKind[];
  /** Ends a process of ours, or a server, with SIGKILL. */
  kill9?: true;
  /** The engine loses everything it held. */
  wipe?: true;
  postgresCrash?: true;
  /** A worker is silent for longer than its lease and comes back. */
  zombie?: true;
  /** Clients must not notice: Redis is away or slow, and a 202 does not need it. */
  redisDown?: true;
}

export type EngineKind = 'redis' | 'postgres';

const BOTH = ['redis', 'postgres'] as const;
const REDIS = ['redis'] as const;
const POSTGRES = ['postgres'] as const;

/** Every fault that the suite can inject. */
export const FAULTS = {
  'worker-killed': { engines: BOTH, kill9: true },
  'worker-killed-after-claim': { engines: BOTH, kill9: true },
  'worker-killed-after-effect': { engines: BOTH, kill9: true },
  'worker-killed-before-commit': { engines: BOTH, kill9: true },
  'worker-killed-during-commit': { engines: BOTH, kill9: true },
  'worker-killed-after-commit': { engines: BOTH, kill9: true },
  'worker-killed-after-dispatch': { engines: BOTH, kill9: true },
  'worker-zombie': { engines: BOTH, zombie: true },
  'worker-clock-skewed': { engines: BOTH },
  'worker-redis-link-blackholed': { engines: REDIS },
  'worker-redis-link-half-open': { engines: REDIS },
  'worker-redis-link-slow': { engines: REDIS },
  'worker-redis-link-reset': { engines: REDIS },
  'worker-postgres-link-blackholed': { engines: BOTH },
  'api-killed': { engines: BOTH, kill9: true },
  'api-killed-before-commit': { engines: BOTH, kill9: true },
  'api-killed-after-commit': { engines: BOTH, kill9: true },
  'api-postgres-link-blackholed': { engines: BOTH },
  'rolling-deploy': { engines: BOTH },
  'builds-deployed': { engines: BOTH, wipe: true },
  'leader-cut-off': { engines: BOTH },
  'queue-paused': { engines: BOTH },
  'type-paused': { engines: BOTH },
  'tenant-paused': { engines: BOTH },
  'redis-flushed': { engines: REDIS, wipe: true, redisDown: true },
  'redis-killed-unpersisted': { engines: REDIS, kill9: true, wipe: true, redisDown: true },
  'redis-killed-persisted': { engines: REDIS, kill9: true, redisDown: true },
  'redis-back-in-time': { engines: REDIS, kill9: true, redisDown: true },
  'redis-asleep': { engines: REDIS, redisDown: true },
  'redis-clients-killed': { engines: REDIS, redisDown: true },
  'redis-full': { engines: REDIS, redisDown: true },
  'engine-tables-emptied': { engines: POSTGRES, wipe: true },
  'postgres-crashed': { engines: BOTH, postgresCrash: true },
  'postgres-backend-killed': { engines: BOTH, kill9: true, postgresCrash: true },
  'postgres-sessions-terminated': { engines: BOTH },
  'postgres-table-locked': { engines: BOTH },
  'postgres-connections-exhausted': { engines: BOTH },
  'postgres-disk-full': { engines: BOTH },
  'postgres-failed-over': { engines: BOTH },
  'handler-blocks-loop': { engines: BOTH, zombie: true },
  'handler-leaks-memory': { engines: BOTH },
  'handler-kills-worker': { engines: BOTH },
  'poison-beside-innocents': { engines: BOTH },
  'receiver-answers-500': { engines: BOTH },
  'receiver-drips': { engines: BOTH },
  'receiver-hangs': { engines: BOTH },
  'receiver-reply-lost': { engines: BOTH },
  'receiver-floods': { engines: BOTH },
  'receiver-gzip-bomb': { engines: BOTH },
  'receiver-redirects': { engines: BOTH },
  'receiver-untrusted': { engines: BOTH },
} as const satisfies Record<string, FaultTraits>;

export type FaultKind = keyof typeof FAULTS;

export function traitsOf(kind: FaultKind): FaultTraits {
  return FAULTS[kind];
}
