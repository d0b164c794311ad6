import type { Landing } from './flights.ts';
import type { TakenTypes } from './lanes.ts';
import { createPace, type Pace, type Usual } from './pace.ts';
import { isQuick } from './tenant-share.ts';

/** How many jobs of a type may be in flight while its handlers are slower than usual, or have been until just now. */
export interface AdaptiveLimit {
  most: number;
  /** Whether it may have more of what nobody else waits for. */
  yields: boolean;
}

/** What has to outlast a dispatcher of a type that it holds down. */
export interface HeldType {
  type: string;
  /** How much of the slots it may have. */
  twentieths: number;
  usual: Usual;
  /** For how long it has been held down. */
  heldMs: number;
}

/** What a turn showed of the types of a queue. */
export interface SeenTypes {
  landings: readonly Pick<Landing, 'type' | 'started' | 'ranMs'>[];
  /** How many jobs of each type are in flight. */
  inFlight: ReadonlyMap<string, number>;
  /** Those of limited types of which jobs were left. */
  waiting: ReadonlySet<string>;
  /** Those of which handlers hang. */
  slowTypes: readonly string[];
  /** The lanes, each with how many handlers take from it and what those can run. */
  lanes: readonly { concurrency: number; takes: TakenTypes }[];
}

/** Holds down types whose handlers have become slow, so that others keep their slots. */
export interface AdaptiveLimits {
  /** Answers what is in force from now on. */
  see(seen: SeenTypes, nowMs: number): ReadonlyMap<string, AdaptiveLimit>;
  held(nowMs: number): HeldType[];
}

const ALL = 20;
/** So much is left to a type whose handlers are slow, or it would never be known that they are quick again. */
const LEAST = 2;
/** Once is chance. */
const SLOW_IN_A_ROW = 2;
/** Who was not there for so long needs no slots. */
const OTHERS_STAY_MS = 10_000;
/** Of types that are slow with no others there so much is kept free for these. */
const KEPT_FREE = 1 / 10;
/** Who is slow for so long has become so. */
const HELD_AT_MOST_MS = 600_000;
/** Until the next turn, quick handlers must not run out of jobs. */
const AHEAD_MS = 50;

interface Known {
  pace: Pace;
  twentieths: number;
  heldSinceMs: number;
  slowInARow: number;
  /** Whether its handlers were as usual when they were judged last. */
  isWell: boolean;
  seenAtMs: number;
}

const isFree = ({ twentieths }: Known) => twentieths === ALL;

/** Begins with what the dispatcher before held down. */
export function createAdaptiveLimits(held: readonly HeldType[], beganMs: number): AdaptiveLimits {
  const types = new Map(
    held.map(({ type, twentieths, usual, heldMs }): [string, Known] => [
      type,
      { ...unknown(beganMs, usual), twentieths, heldSinceMs: beganMs - heldMs, isWell: false },
    ]),
  );

  function knownOf(type: string, nowMs: number): Known {
    const known = types.get(type) ?? unknown(nowMs);
    types.set(type, known);
    return known;
  }

  function hear({ landings, inFlight }: SeenTypes, nowMs: number): void {
    for (const { type, started, ranMs } of landings) {
      const known = knownOf(type, nowMs);
      known.seenAtMs = nowMs;
      if (started > 0) known.pace.land(started, ranMs, nowMs);
    }
    for (const type of inFlight.keys()) knownOf(type, nowMs).seenAtMs = nowMs;
  }

  /** Whether any that is not held down itself was there of late and runs in the same slots. */
  function areOthersThere(type: string, { lanes }: SeenTypes, nowMs: number): boolean {
    return types
      .entries()
      .some(
        ([other, known]) =>
          other !== type &&
          isFree(known) &&
          nowMs - known.seenAtMs < OTHERS_STAY_MS &&
          lanes.some(({ takes }) => takes.has(type) && takes.has(other)),
      );
  }

  function limitOf(type: string, known: Known, seen: SeenTypes, nowMs: number): AdaptiveLimit | undefined {
    if (!seen.lanes.some(({ takes }) => takes.has(type) && takes.size > 1)) return undefined;
    const slots = slotsOf(type, seen);
    const ownSlots = Math.max(1, Math.floor((slots * known.twentieths) / ALL));
    const most = areOthersThere(type, seen, nowMs)
      ? ownSlots
      : Math.max(ownSlots, slots - Math.ceil(slots * KEPT_FREE));
    return { most: most + aheadOf(most, known), yields: known.isWell && hasItsPart(known, slots) };
  }

  return {
    see(seen, nowMs) {
      hear(seen, nowMs);
      const limits = new Map<string, AdaptiveLimit>();
      for (const [type, known] of types) {
        const isHanging = seen.slowTypes.includes(type);
        const judged = known.pace.judge({ isHanging, learns: isFree(known) }, nowMs);
        follow(known, judged, { slots: slotsOf(type, seen), isLeft: seen.waiting.has(type), nowMs });
        const limit = isFree(known) ? undefined : limitOf(type, known, seen, nowMs);
        if (limit) limits.set(type, limit);
      }
      return limits;
    },
    held: (nowMs) =>
      [...types]
        .filter(([, known]) => !isFree(known))
        .map(([type, { twentieths, pace, heldSinceMs }]) => ({
          ...{ type, twentieths, usual: pace.usual(), heldMs: nowMs - heldSinceMs },
        })),
  };
}

/** Names the types whose limit is lower than before and of which more is in flight: what waits of them in the engine is to be taken back. */
export function typesToTakeBack(
  before: ReadonlyMap<string, AdaptiveLimit>,
  now: ReadonlyMap<string, AdaptiveLimit>,
  inFlight: ReadonlyMap<string, number>,
): string[] {
  const isLower = (type: string, { most, yields }: AdaptiveLimit) => {
    const earlier = before.get(type);
    return !yields && (!earlier || earlier.yields || most < earlier.most);
  };
  return [...now]
    .filter(([type, limit]) => isLower(type, limit) && (inFlight.get(type) ?? 0) > limit.most)
    .map(([type]) => type);
}

function unknown(nowMs: number, usual?: Usual): Known {
  return {
    pace: createPace(usual, nowMs),
    twentieths: ALL,
    heldSinceMs: nowMs,
    slowInARow: 0,
    isWell: true,
    seenAtMs: nowMs,
  };
}

function slotsOf(type: string, { lanes }: SeenTypes): number {
  return lanes.reduce((sum, { concurrency, takes }) => (takes.has(type) ? sum + concurrency : sum), 0);
}

/** Additive increase, up to what it usually needs, and multiplicative decrease. Once nothing of it is left it has caught up. */
function follow(
  known: Known,
  judged: ReturnType<Pace['judge']>,
  { slots, isLeft, nowMs }: { slots: number; isLeft: boolean; nowMs: number },
): void {
  if (judged) {
    known.isWell = judged === 'usual';
    known.slowInARow = known.isWell ? 0 : known.slowInARow + 1;
  }
  if (judged === 'slow') holdDown(known, nowMs);
  if (isFree(known)) return;
  if (judged === 'usual' && !hasItsPart(known, slots)) known.twentieths += 1;
  const hasCaughtUp = known.isWell && !isLeft;
  const isTooLong = nowMs - known.heldSinceMs >= HELD_AT_MOST_MS;
  if (isTooLong && !known.isWell) known.pace.accept();
  if (hasCaughtUp || isTooLong) known.twentieths = ALL;
}

function holdDown(known: Known, nowMs: number): void {
  if (isFree(known) && known.slowInARow < SLOW_IN_A_ROW) return;
  if (isFree(known)) known.heldSinceMs = nowMs;
  known.twentieths = Math.max(LEAST, Math.floor(known.twentieths / 2));
}

/** Whether it has as many slots again as it usually needs. */
function hasItsPart({ pace, twentieths }: Known, slots: number): boolean {
  return twentieths >= Math.min(ALL, 1 + Math.ceil((ALL * pace.usual().running) / Math.max(1, slots)));
}

/** How many jobs more than it may have slots may be in flight, for those that end until the next turn. */
function aheadOf(slots: number, { isWell, pace }: Known): number {
  const { meanMs } = pace.usual();
  return isWell && isQuick(meanMs) ? Math.ceil((slots * AHEAD_MS) / Math.max(1, meanMs)) : 0;
}
