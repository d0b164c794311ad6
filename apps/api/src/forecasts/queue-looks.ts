import type { ArrivalLog } from '@accepted/shared/core/fairness/arrival-log';
import { type WaitCode, whyWaiting } from '@accepted/shared/core/fairness/explain-wait';
import { createForecast, type Forecast } from '@accepted/shared/core/fairness/forecast';
import { createRunTimes, type RunTimes } from '@accepted/shared/core/fairness/run-times';
import { type QueueOutlook, readOutlook } from '@accepted/shared/ledger/queues/queue-outlook';
import type { LiveLane } from '@accepted/shared/ledger/workers/workers';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';

/** What lines differ in, as far as something may hold them up. */
export interface JobKind {
  tenantId: string;
  type: string;
  /** Ids of the schemas that refuse its payload. */
  refusedBy?: string[] | undefined;
}

/** What was seen of a queue, and what is foreseen by that. */
export interface QueueLook {
  outlook: QueueOutlook;
  forecast: Forecast;
  /** Whether it was measured a while ago how fast jobs go, and is no guess. */
  isKnown: boolean;
  /** Whether it is measured now. */
  isMeasured: boolean;
  /** What holds up jobs of a kind; nothing where they only wait for their turn. */
  heldUpBy(kind: JobKind): readonly WaitCode[];
}

/** Looks at the queues that somebody asks about, once a second each at most. */
export interface QueueLooks {
  /** What was seen not longer ago than that; has it looked at again where it is old. Never waits for Postgres. */
  latest(queue: string, goodForMs: number): QueueLook | undefined;
  /** Is told of each job that is let in. */
  noteNew(queue: string): void;
  /** What was seen a second ago at most. */
  fresh(queue: string): Promise<QueueLook>;
  /** How long jobs of the queue run, as far as it was seen. */
  timesOf(queue: string): RunTimes;
}

interface KnownQueue {
  look: QueueLook | undefined;
  isLooking: boolean;
  askedAtMs: number;
  everyMs: number;
  soonMs: number;
  /** How many jobs were let in since then. */
  newJobs: number;
  times: RunTimes;
}

const LOOK_EVERY_MS = { least: 1_000, most: 3_000 };
/** Where a look takes long, or nothing waits, there are fewer of them. */
const MOST_TIME_FOR_IT = 1 / 50;
const MOST_QUEUES = 1_000;
/** With so many new jobs it is looked sooner: what was seen before they came says little. */
const SOON = { newJobs: 50, ms: 250 };

export function createQueueLooks(
  app: Pick<FastifyInstance, 'db' | 'outlookOf' | 'log'>,
  log: ArrivalLog,
): QueueLooks {
  const queues = new LRUCache<string, KnownQueue>({ max: MOST_QUEUES });

  function knownOf(queue: string): KnownQueue {
    const known = queues.get(queue);
    if (known) return known;
    const fresh = {
      ...{ look: undefined, isLooking: false, times: createRunTimes() },
      ...{ askedAtMs: Number.NEGATIVE_INFINITY, everyMs: LOOK_EVERY_MS.least },
      ...{ soonMs: SOON.ms, newJobs: 0 },
    };
    queues.set(queue, fresh);
    return fresh;
  }

  function see(queue: string, known: KnownQueue, outlook: QueueOutlook): QueueLook {
    const nowMs = performance.now();
    if (known.look && known.look.outlook.seenAtMs >= outlook.seenAtMs) return known.look;
    known.look = lookOf({ queue, outlook, known, log, nowMs });
    return known.look;
  }

  async function look(queue: string, known: KnownQueue): Promise<void> {
    Object.assign(known, { askedAtMs: performance.now(), newJobs: 0 });
    const { outlook } = see(queue, known, await readOutlook(app.db, queue));
    const { least, most } = LOOK_EVERY_MS;
    const wantedMs = Math.min(most, (performance.now() - known.askedAtMs) / MOST_TIME_FOR_IT);
    known.everyMs = outlook.going.length === 0 ? most : Math.max(least, wantedMs);
    known.soonMs = Math.max(SOON.ms, wantedMs);
  }

  function lookInBackground(queue: string, known: KnownQueue): void {
    const afterMs = known.newJobs >= SOON.newJobs ? known.soonMs : known.everyMs;
    if (known.isLooking || performance.now() - known.askedAtMs < afterMs) return;
    known.isLooking = true;
    look(queue, known)
      .catch((error: unknown) => app.log.debug({ err: error }, 'cannot look at a queue'))
      .finally(() => {
        known.isLooking = false;
      });
  }

  return {
    latest(queue, goodForMs) {
      const known = knownOf(queue);
      lookInBackground(queue, known);
      const { look } = known;
      return look && performance.now() - look.outlook.seenAtMs < goodForMs ? look : undefined;
    },
    noteNew(queue) {
      knownOf(queue).newJobs += 1;
    },
    fresh: async (queue) => see(queue, knownOf(queue), await app.outlookOf(queue)),
    timesOf: (queue) => knownOf(queue).times,
  };
}

interface Seen {
  queue: string;
  outlook: QueueOutlook;
  known: KnownQueue;
  log: ArrivalLog;
  nowMs: number;
}

function lookOf({ queue, outlook, known, log, nowMs }: Seen): QueueLook {
  const { drainPerSecond, isDrainFresh, going, weights, inDelivery, seenAtMs, conditions } = outlook;
  const perSecond = drainPerSecond || guessStarts(outlook.lanes, known.times);
  const seen = { queue, seenAtMs, going, weights, inDelivery, perSecond };
  const codes = new Map<string, readonly WaitCode[]>();
  return {
    outlook,
    isKnown: Boolean(drainPerSecond),
    isMeasured: Boolean(drainPerSecond) && isDrainFresh,
    forecast: createForecast(seen, { log, nowMs, before: known.look?.forecast }),
    heldUpBy({ tenantId, type, refusedBy = [] }) {
      const kind = `${tenantId} ${type} ${refusedBy.join(' ')}`;
      const found = codes.get(kind) ?? whyWaiting({ tenantId, type, refusedBy, blockedBy: null }, conditions);
      codes.set(kind, found);
      return found;
    },
  };
}

/**
 * How many jobs are taken to be started a second where handlers idle, or nobody has told of late: as many as they could by how long
 * jobs run, or else as many as workers finished. Where nothing is known every slot is taken to finish a job a second.
 */
function guessStarts(lanes: readonly LiveLane[], times: RunTimes): number {
  const sum = (of: (lane: LiveLane) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
  const slots = sum(({ concurrency }) => concurrency);
  const runMs = times.quickMs() ?? times.slowMs();
  if (runMs !== undefined) return (slots / runMs) * 1_000;
  return sum(({ finishedPerSecond }) => finishedPerSecond) || slots;
}
