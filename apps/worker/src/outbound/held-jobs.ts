import type { BreakerTarget } from '@accepted/shared/core/outbound/breaker-target';
import { BACK_PER_SECOND } from '@accepted/shared/core/outbound/circuit';
import { DELIVERY_QUEUE, DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { holdWaitingWebhooks, letHeldJobsGo } from '@accepted/shared/ledger/outbound/held-jobs';
import { LRUCache } from 'lru-cache';
import type { WorkerCounters } from '../metrics/worker-counters.ts';

/** Moves jobs that wait for a breaker together, batch by batch. */
export interface HeldJobs {
  /** Has webhooks wait for it that wait for slots, unless that was done just now. */
  holdWaiting(target: BreakerTarget): Promise<void>;
  letAllGo(target: BreakerTarget): Promise<void>;
}

export interface HeldJobsOptions {
  db: Database;
  /** Tells that jobs of a queue are due sooner than was known. */
  timesHaveChanged: (queue: string) => void;
  counters: Pick<WorkerCounters, 'add'>;
}

const BATCH = 1_000;
/** What comes to wait for slots meanwhile is held one by one. */
const HOLD_AGAIN_MS = 1_000;
const MOST_TARGETS = 10_000;
/** They come back as those do that a worker holds one by one. */
const LINE = { perSecond: BACK_PER_SECOND, mostSeconds: 600 };

export function createHeldJobs({ db, timesHaveChanged, counters }: HeldJobsOptions): HeldJobs {
  const heldOfLate = new LRUCache<string, true>({ max: MOST_TARGETS, ttl: HOLD_AGAIN_MS });

  return {
    async holdWaiting(target) {
      if (target.type !== DELIVERY_TYPE || heldOfLate.has(target.id)) return;
      heldOfLate.set(target.id, true);
      let standing = 0;
      for (let held = BATCH; held === BATCH; standing += held)
        held = await holdWaitingWebhooks(db, target, { line: { ...LINE, standing }, limit: BATCH });
      if (standing === 0) return;
      counters.add('jobs_held', DELIVERY_QUEUE, standing);
      timesHaveChanged(DELIVERY_QUEUE);
    },
    async letAllGo({ id }) {
      for (let jobs = BATCH; jobs === BATCH; ) {
        const freed = await letHeldJobsGo(db, id, BATCH);
        for (const queue of freed.queues) timesHaveChanged(queue);
        jobs = freed.jobs;
      }
    },
  };
}
