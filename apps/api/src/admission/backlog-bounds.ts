import {
  type Arrival,
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
  let bounded: ReadonlySet<string> = new Set();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const upkeep = createUpkeep(app);
  const returns = createBacklogReturns();

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

  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** A look that is under way may have begun before what is in doubt. */
  const lookAnew = async () => {
    await looking?.catch(() => undefined);
    await lookOnce();
  };
  const tellDebug = (error: unknown) => app.log.debug({ err: error }, 'cannot count the backlogs');
  const inBackground = () => lookOnce().catch(tellDebug);

  function mustBeCounted({ tenantId, queue }: Arrival): boolean {
    // Who has just started knows of no bound.
    if (lookedAtMs === Number.NEGATIVE_INFINITY) return true;
    if (!bounded.has(tenantId) && !gauge.boundsTenants(queue)) return false;
    counted.set(tenantId, true);
    return !gauge.knows(tenantId);
  }

  /** Where nobody can be asked what is known holds, and where nothing is known nobody is let in. */
  async function admitAfterLook(arrival: Arrival): Promise<PlaceInBacklog> {
    await lookAnew().catch(tellDebug);
    // The first look tells whose jobs are to be counted.
    if (mustBeCounted(arrival)) await lookAnew().catch(tellDebug);
    if (mustBeCounted(arrival)) throw databaseUnavailable();
    return admit(arrival, gauge.judge(arrival, performance.now()));
  }

  function admit(arrival: Arrival, { full, near }: Verdict): PlaceInBacklog {
    if (full) throw refusal(app, returns, arrival, full);
    returns.letIn(arrival);
    return { near, leave: gauge.admit(arrival) };
  }

  app.decorate('backlogs', {
    admit(arrival) {
      const nowMs = performance.now();
      gauge.note(arrival, nowMs);
      const verdict = gauge.judge(arrival, nowMs);
      const isOld = nowMs - lookedAtMs > (verdict.room > FAR_ROOM ? FAR_MS : NEAR_MS);
      if (mustBeCounted(arrival) || mayBeWrong(verdict, isOld)) return admitAfterLook(arrival);
      if (isOld) void inBackground();
      return admit(arrival, verdict);
    },
    refuse(arrival, full) {
      // Others have filled it.
      void inBackground();
      return refusal(app, returns, arrival, full);
    },
  });
  // Bounds are in force in every process, also in one that nobody has sent anything for long.
  const timer = setInterval(() => void inBackground(), FAR_MS).unref();
  app.addHook('onReady', async () => void (await inBackground()));
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await looking?.catch(() => undefined);
    await upkeep.ended();
  });
});

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
