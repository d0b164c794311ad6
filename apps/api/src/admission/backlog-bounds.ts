import {
  type Arrival,
  type BacklogGauge,
  createBacklogGauge,
  type FullBacklog,
  type FullBound,
  type Verdict,
} from '@accepted/shared/core/overload/backlog-gauge';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  type Backlogs,
  countBacklogs,
  foldBacklogs,
  readBacklogs,
} from '@accepted/shared/ledger/limits/backlogs';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { Problem } from '../http/problem.ts';
import { type BacklogReturns, createBacklogReturns } from './backlog-returns.ts';
import { databaseUnavailable } from './database-budget.ts';

declare module 'fastify' {
  interface FastifyInstance {
    backlogs: {
      /** The problem of a job that there is surely no room for; it has not been let in where there is none. */
      glance(arrival: Arrival): Problem | undefined;
      /**
       * Lets a job in where there seems to be room for it, and counts it from then on. Throws a problem where queue or tenant have as many as
       * they may. Waits for Postgres only where that is in doubt.
       */
      admit(arrival: Arrival): PlaceInBacklog | Promise<PlaceInBacklog>;
      /** The problem of a job that there was no room for when it was to be written. */
      refuse(arrival: Arrival, full: FullBound): Problem;
    };
  }
}

/** What a job takes that was let in. */
export interface PlaceInBacklog {
  /** The bounds that are near: others may have filled them meanwhile, so whoever writes the job counts again. */
  near: readonly string[];
  /** Is to be called once the job was written, or was not. */
  leave(): void;
}

/** Others let jobs in too: so old may a count be where there is little room, and where there is much. */
const NEAR_MS = 250;
const FAR_MS = 750;
const FAR_ROOM = 50_000;
/** Tenants whose jobs are counted: those with a bound that have sent something of late. */
const COUNTED_TENANTS = { max: 1_000, ttl: 60_000 };
/** Whoever finds more changes folds them. Workers do, where there are any. */
const MOST_UNFOLDED = 5_000;

/** Bounds the live jobs of queues and tenants, over all API processes. */
export const backlogBounds = fp(async (app) => {
  const gauge = createBacklogGauge();
  const counted = new LRUCache<string, true>(COUNTED_TENANTS);
  const looks = createLooks(app, gauge, counted);
  const returns = createBacklogReturns();

  function mustBeCounted({ tenantId, queue }: Arrival): boolean {
    // Who has just started knows of no bound.
    if (!looks.hasLooked()) return true;
    if (!looks.isBounded(tenantId) && !gauge.boundsTenants(queue)) return false;
    counted.set(tenantId, true);
    return !gauge.knows(tenantId);
  }

  /** Where nobody can be asked what is known holds, and where nothing is known nobody is let in. */
  async function admitAfterLook(arrival: Arrival): Promise<PlaceInBacklog> {
    await looks.anew();
    // The first look tells whose jobs are to be counted.
    if (mustBeCounted(arrival)) await looks.anew();
    if (mustBeCounted(arrival)) throw databaseUnavailable();
    return admit(arrival, gauge.judge(arrival, performance.now()));
  }

  function admit(arrival: Arrival, { full, near }: Verdict): PlaceInBacklog {
    if (full) throw refusal(app, returns, arrival, full);
    returns.letIn(arrival);
    return { near, leave: gauge.admit(arrival) };
  }

  app.decorate('backlogs', {
    glance(arrival) {
      const nowMs = performance.now();
      const verdict = gauge.judge(arrival, nowMs);
      if (!verdict.full || mayBeWrong(verdict, looks.isTooOld(verdict, nowMs))) return undefined;
      gauge.note(arrival, nowMs);
      return refusal(app, returns, arrival, verdict.full);
    },
    admit(arrival) {
      const nowMs = performance.now();
      gauge.note(arrival, nowMs);
      const verdict = gauge.judge(arrival, nowMs);
      const isOld = looks.isTooOld(verdict, nowMs);
      if (mustBeCounted(arrival) || mayBeWrong(verdict, isOld)) return admitAfterLook(arrival);
      if (isOld) void looks.inBackground();
      return admit(arrival, verdict);
    },
    refuse(arrival, full) {
      // Others have filled it.
      void looks.inBackground();
      return refusal(app, returns, arrival, full);
    },
  });
  // Bounds are in force in every process, also in one that nobody has sent anything for long.
  const timer = setInterval(() => void looks.inBackground(), FAR_MS).unref();
  app.addHook('onReady', async () => void (await looks.inBackground()));
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await looks.ended();
  });
});

/** Has the jobs of queues, and of the tenants that are `counted`, be counted for the gauge: once at a time. */
function createLooks(app: FastifyInstance, gauge: BacklogGauge, counted: LRUCache<string, true>) {
  const upkeep = createUpkeep(app);
  let bounded: ReadonlySet<string> = new Set();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const end = gauge.beginCount();
    const beganMs = performance.now();
    const found = await readCounted(app.pools.admission, [...counted.keys()]);
    app.rates.follow(found.ratesEdition);
    if (found.unfolded > MOST_UNFOLDED) upkeep.run(() => foldBacklogs(app.pools.admission));
    end(found);
    bounded = new Set(found.boundedTenants);
    lookedAtMs = beganMs;
  }

  function inBackground(): Promise<void> {
    looking ??= look()
      .catch((error: unknown) => app.log.debug({ err: error }, 'cannot count the backlogs'))
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  return {
    inBackground,
    /** A look that is under way may have begun before what is in doubt. */
    async anew(): Promise<void> {
      await looking;
      await inBackground();
    },
    hasLooked: () => lookedAtMs !== Number.NEGATIVE_INFINITY,
    isTooOld: ({ room }: Verdict, nowMs: number) => nowMs - lookedAtMs > (room > FAR_ROOM ? FAR_MS : NEAR_MS),
    isBounded: (tenantId: string) => bounded.has(tenantId),
    async ended(): Promise<void> {
      await looking;
      await upkeep.ended();
    },
  };
}

/** Where the sums were lost whoever has to know them waits until the jobs were counted. */
async function readCounted(db: Database, tenantIds: readonly string[]): Promise<Backlogs> {
  const found = await readBacklogs(db, tenantIds);
  if (found.isCounted) return found;
  await countBacklogs(db, { ifLost: true });
  return await readBacklogs(db, tenantIds);
}

/** Whether somebody would be refused whom another count may let in. */
function mayBeWrong({ full, isSure }: Verdict, isOld: boolean): boolean {
  return full !== undefined && (isOld || !isSure);
}

/** Does what keeps the sums in order, one thing at a time and beside the requests. */
function createUpkeep(app: FastifyInstance) {
  let underWay: Promise<void> | undefined;
  return {
    run(work: () => Promise<unknown>): void {
      underWay ??= work()
        .then(() => undefined)
        .catch((error: unknown) => app.log.warn({ err: error }, 'the backlogs cannot be summed up'))
        .finally(() => {
          underWay = undefined;
        });
    },
    ended: async () => await underWay,
  };
}

/** Who comes back finds as much of the bound free. */
const FREE_THEN = 0.05;

const POLICIES: Record<FullBacklog, string> = {
  queue: 'queue-backlog',
  tenant: 'tenant-backlog',
  tenant_in_queue: 'tenant-backlog-in-queue',
};

function refusal(
  { forecasts }: FastifyInstance,
  returns: BacklogReturns,
  arrival: Arrival,
  { bound, jobs, most }: FullBound,
): Problem {
  const closedSeconds = forecasts.secondsToFinish(arrival.queue, jobs - (1 - FREE_THEN) * most);
  const perSecond = forecasts.finishedPerSecond(arrival.queue);
  const seconds = returns.nextInSeconds(bound, arrival, { closedSeconds, perSecond });
  return new Problem(bound === 'queue' ? 'queue_backlog_full' : 'tenant_backlog_full', {
    headers: { 'retry-after': String(seconds) },
    members: { violatedPolicies: [POLICIES[bound]] },
  });
}
