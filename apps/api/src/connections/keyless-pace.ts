import { LRUCache } from 'lru-cache';

export interface PaceBounds {
  bytesPerSecond: number;
  /** So much may be sent at once to who has asked for little before. */
  burstBytes: number;
}

/** Bounds what an address is sent in a second of what needs no key: it is told the same things as often as it likes to ask. */
export interface KeylessPace {
  /** Answers how long the next request of an address has to wait, in milliseconds. */
  delayMs(address: string): number;
  /** Tells what an address was sent. */
  sent(address: string, bytes: number): void;
}

const MAX_ADDRESSES = 10_000;

export function createKeylessPace(
  { bytesPerSecond, burstBytes }: PaceBounds,
  now: () => number = () => performance.now(),
): KeylessPace {
  const burstMs = (burstBytes / bytesPerSecond) * 1_000;
  /** When all that an address was sent would have been sent at the pace. */
  const evenAt = new LRUCache<string, number>({ max: MAX_ADDRESSES });
  return {
    delayMs: (address) => Math.max(0, (evenAt.get(address) ?? 0) - now() - burstMs),
    sent(address, bytes) {
      const from = Math.max(now(), evenAt.get(address) ?? 0);
      evenAt.set(address, from + (bytes / bytesPerSecond) * 1_000);
    },
  };
}
