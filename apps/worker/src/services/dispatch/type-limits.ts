import {
  type AdaptiveLimit,
  type AdaptiveLimits,
  createAdaptiveLimits,
  typesToTakeBack,
} from '@accepted/shared/core/fairness/adaptive-limits';
import type { DispatchTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { takeBackTypes } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { readHeldTypes, tellHeldTypes } from '@accepted/shared/ledger/limits/adaptive-limits';
import type { LiveLane } from '@accepted/shared/ledger/workers/workers';
import type { DispatcherOptions } from './dispatcher.ts';

/** How a turn of the dispatcher found the types of its queue. */
interface TurnOfTypes {
  turn: Pick<DispatchTurn, 'landings' | 'waitingTypes' | 'picture'>;
  lanes: readonly LiveLane[];
  slowTypes: readonly string[];
}

/** Holds down the types of a queue whose handlers have become slow. */
export interface TypeLimits {
  /** Answers what is in force; at first what the dispatcher before has told. */
  inForce(): Promise<ReadonlyMap<string, AdaptiveLimit>>;
  /** Learns from a turn, takes back from the engine what may not be in flight any more, and tells of the types once a second at most. */
  follow(turn: TurnOfTypes): Promise<void>;
}

const TELL_EVERY_MS = 1_000;

export function createTypeLimits({
  db,
  queue,
  service,
  logger,
}: Pick<DispatcherOptions, 'db' | 'queue' | 'service' | 'logger'>): TypeLimits {
  let limits: AdaptiveLimits | undefined;
  let inForce: ReadonlyMap<string, AdaptiveLimit> = new Map();
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let areAnyTold = false;
  // Another dispatcher may have been here meanwhile.
  service?.onGained(() => {
    limits = undefined;
  });

  async function begin(): Promise<AdaptiveLimits> {
    const held = await readHeldTypes(db, queue);
    inForce = new Map(held.map(({ type, most }) => [type, { most, yields: false }]));
    areAnyTold = held.length > 0;
    return createAdaptiveLimits(held, performance.now());
  }

  function logChanges(before: ReadonlyMap<string, AdaptiveLimit>): void {
    for (const [type, { most }] of inForce)
      if (!before.has(type))
        logger.warn(
          { queue, type, most },
          'the handlers of a type have become slow: fewer of its jobs are started, so that others have their slots',
        );
    for (const type of before.keys())
      if (!inForce.has(type))
        logger.info({ queue, type }, 'as many jobs of a type are started again as there are slots for');
  }

  async function tell(): Promise<void> {
    const nowMs = performance.now();
    if (!limits || (inForce.size === 0 && !areAnyTold) || nowMs - toldAtMs < TELL_EVERY_MS) return;
    const told = limits.held(nowMs).flatMap((one) => {
      const limit = inForce.get(one.type);
      return limit ? [{ ...one, most: limit.most }] : [];
    });
    await tellHeldTypes(db, queue, told);
    [toldAtMs, areAnyTold] = [nowMs, told.length > 0];
  }

  return {
    async inForce() {
      limits ??= await begin();
      return inForce;
    },
    async follow({ turn, lanes, slowTypes }) {
      const { flights, builds } = turn.picture;
      const inFlight = flights.ofTypes();
      const before = inForce;
      const seen = {
        ...{ landings: turn.landings, waiting: turn.waitingTypes, inFlight, slowTypes },
        lanes: lanes.map(({ buildId, concurrency }) => ({
          concurrency,
          takes: builds.get(buildId) ?? new Map(),
        })),
      };
      inForce = limits?.see(seen, performance.now()) ?? before;
      logChanges(before);
      const tooMany = typesToTakeBack(before, inForce, inFlight);
      if (tooMany.length > 0) await takeBackTypes(db, queue, tooMany);
      await tell();
    },
  };
}
