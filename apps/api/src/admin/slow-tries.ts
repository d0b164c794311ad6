import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** Slows down those who try passwords, each in a line of his own: by his address, or by what else is known of him. */
export interface SlowTries {
  /** Waits until somebody may try again; answers `false` at once when too many of his tries wait already, whatever they are. */
  turn(who: string): Promise<boolean>;
  /** Tells that a try was wrong. */
  wasWrong(who: string): void;
}

export interface SlowTriesOptions {
  /** How many wrong tries cost nothing. */
  free: number;
  /** For so long after the last wrong try one is slow. */
  windowMs: number;
  /** The time between two tries of one who is slow. */
  everyMs: number;
  maxWaiting: number;
}

interface Tries {
  wrong: number;
  waiting: number;
  lastTurn: Promise<unknown>;
}

const MAX_KNOWN = 10_000;

export function createSlowTries({ free, windowMs, everyMs, maxWaiting }: SlowTriesOptions): SlowTries {
  const known = new LRUCache<string, Tries>({ max: MAX_KNOWN, ttl: windowMs });

  return {
    async turn(who) {
      const tries = known.get(who);
      if (!tries || tries.wrong < free) return true;
      if (tries.waiting >= maxWaiting) return false;
      tries.waiting += 1;
      tries.lastTurn = tries.lastTurn.then(() => delay(everyMs));
      await tries.lastTurn;
      tries.waiting -= 1;
      return true;
    },
    wasWrong(who) {
      const tries = known.get(who) ?? { wrong: 0, waiting: 0, lastTurn: Promise.resolve() };
      tries.wrong += 1;
      known.set(who, tries);
    },
  };
}
