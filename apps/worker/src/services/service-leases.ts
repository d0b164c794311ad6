import type { WantedService } from '@accepted/shared/ledger/workers/beat';

/** How long a service stays with a worker that is not heard of; then any other takes it over. */
export const SERVICE_LEASE_MS = 3_000;

/** A service of which an installation needs one. It runs in the worker that holds its lease. */
export interface OneService {
  isHeld(): boolean;
  /** Calls `listener` each time that the lease comes to this worker. */
  onGained(listener: () => void): void;
  /** Calls `listener` when another worker has it. */
  onLost(listener: () => void): void;
  /** Leaves the service to another worker that can do it for as long as this one cannot. */
  onlyWhile(isAble: () => boolean): void;
}

/** The leases that this worker holds, or would take. */
export interface ServiceLeases {
  one(name: string): OneService;
  wanted(): WantedService[];
  holdsAny(): boolean;
  /** Learns from a beat that was sent at `sentAtMs` what is held. By the clock of this process a lease ends no later than by that of Postgres. */
  beaten(held: readonly string[], sentAtMs: number): void;
}

interface KnownService {
  heldUntilMs: number;
  isHere: boolean;
  gained: (() => void)[];
  lost: (() => void)[];
  conditions: (() => boolean)[];
}

export function createServiceLeases(): ServiceLeases {
  const known = new Map<string, KnownService>();
  const isHeld = ({ heldUntilMs }: KnownService) => performance.now() < heldUntilMs;

  return {
    one(name) {
      const service = known.get(name) ?? {
        heldUntilMs: 0,
        isHere: false,
        gained: [],
        lost: [],
        conditions: [],
      };
      known.set(name, service);
      return {
        isHeld: () => isHeld(service),
        onGained: (listener) => void service.gained.push(listener),
        onLost: (listener) => void service.lost.push(listener),
        onlyWhile: (isAble) => void service.conditions.push(isAble),
      };
    },
    wanted: () =>
      [...known].map(([name, { conditions }]) => ({ name, isAble: conditions.every((holds) => holds()) })),
    holdsAny: () => known.values().some(isHeld),
    beaten(held, sentAtMs) {
      for (const [name, service] of known) {
        const { isHere: wasHere } = service;
        // After a time without a beat it may still be here, and its loop has stopped to look.
        const wasHeld = isHeld(service);
        service.isHere = held.includes(name);
        service.heldUntilMs = service.isHere ? sentAtMs + SERVICE_LEASE_MS : 0;
        if (service.isHere && !wasHeld) for (const listener of service.gained) listener();
        if (!service.isHere && wasHere) for (const listener of service.lost) listener();
      }
    },
  };
}
