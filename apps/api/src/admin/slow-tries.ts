import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** Slows down those who try passwords, and locks nobody out: the right one is taken, at the latest after a wait. */
export interface SlowTries {
  /** Waits until an address may try again; answers `false` at once when too many of its tries wait already. */
  turn(address: string): Promise<boolean>;
  /** Tells that a try of an address was wrong. */
  wasWrong(address: string): void;
}

export interface SlowTriesOptions {
  /** How many wrong tries cost nothing. */
  free: number;
  /** For so long after the last wrong try an address is slow. */
  windowMs: number;
  /** The time between two tries of an address that is slow. */
  everyMs: number;
  maxWaiting: number;
}

interface Tries {
  wrong: number;
  waiting: number;
  lastTurn: Promise<unknown>;
}

const MAX_ADDRESSES = 10_000;

export function createSlowTries({ free, windowMs, everyMs, maxWaiting }: SlowTriesOptions): SlowTries {
  const known = new LRUCache<string, Tries>({ max: MAX_ADDRESSES, ttl: windowMs });

  return {
    async turn(address) {
      const tries = known.get(address);
      if (!tries || tries.wrong < free) return true;
      if (tries.waiting >= maxWaiting) return false;
      tries.waiting += 1;
      tries.lastTurn = tries.lastTurn.then(() => delay(everyMs));
      await tries.lastTurn;
      tries.waiting -= 1;
      return true;
    },
    wasWrong(address) {
      const tries = known.get(address) ?? { wrong: 0, waiting: 0, lastTurn: Promise.resolve() };
      tries.wrong += 1;
      known.set(address, tries);
    },
  };
}
