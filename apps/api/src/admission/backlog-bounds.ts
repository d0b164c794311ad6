import {
  type Arrival,
  createBacklogGauge,
  type FullBacklog,
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
import { createBacklogReturns } from './backlog-returns.ts';
import { databaseUnavailable } from './database-budget.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a job in where there is room for it, and counts it from then on; the answer is to be called once it was written, or was
     * not. Throws a problem where queue or tenant have as many as they may. Waits for Postgres only where that is near.
     */
    admitToBacklog(arrival: Arrival): (() => void) | Promise<() => void>;
  }
}

/** Others let jobs in too: so old may a count be where there is little room, and where there is much. */
const NEAR_MS = 250;
const FAR_MS = 750;
const FAR_ROOM = 50_000;
/** With more room than this nobody waits for a count that is too old. */
const ROOM_FOR_ALL = 1_000;
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
  async function admitAfterLook(arrival: Arrival): Promise<() => void> {
    await lookAnew().catch(tellDebug);
    // The first look tells whose jobs are to be counted.
    if (mustBeCounted(arrival)) await lookAnew().catch(tellDebug);
    if (mustBeCounted(arrival)) throw databaseUnavailable();
    return admit(arrival, gauge.judge(arrival, performance.now()));
  }

  function admit(arrival: Arrival, { full }: Verdict): () => void {
    if (!full) {
      returns.letIn(arrival);
      return gauge.admit(arrival);
    }
    const { bound, jobs, most } = full;
    const closedSeconds = app.forecasts.secondsToFinish(arrival.queue, jobs - (1 - FREE_THEN) * most);
    const perSecond = app.forecasts.finishedPerSecond(arrival.queue);
    throw refusal(bound, returns.nextInSeconds(bound, arrival, { closedSeconds, perSecond }));
  }

  app.decorate('admitToBacklog', (arrival) => {
    const nowMs = performance.now();
    gauge.note(arrival, nowMs);
    const verdict = gauge.judge(arrival, nowMs);
    const isOld = nowMs - lookedAtMs > (verdict.room > FAR_ROOM ? FAR_MS : NEAR_MS);
    if (mustBeCounted(arrival) || mayWait(verdict, isOld)) return admitAfterLook(arrival);
    if (isOld) void inBackground();
    return admit(arrival, verdict);
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

/** Whether another count may say something else that matters. */
function mayWait({ full, isSure, room }: Verdict, isOld: boolean): boolean {
  return full ? isOld || !isSure : isOld && room <= ROOM_FOR_ALL;
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

function refusal(bound: FullBacklog, seconds: number): Problem {
  return new Problem(bound === 'queue' ? 'queue_backlog_full' : 'tenant_backlog_full', {
    headers: { 'retry-after': String(seconds) },
    members: { violatedPolicies: [POLICIES[bound]] },
  });
}
