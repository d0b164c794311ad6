import type { Load } from '../load/flood.ts';
import { type JobKind, MIXED_KINDS, meanWorkMs } from '../load/mix.ts';

/** One thing of which there is too little, while there is enough of all others. */
export interface Bottleneck {
  name: 'workers' | 'processor' | 'postgres';
  /** Handlers of the one worker; none runs when it is 0. */
  slots: number;
  kinds: readonly JobKind[];
  /** How long a write of PostgreSQL's log takes; as long as the disk does when left out. */
  commitMs?: number;
  /** More than can be done, to find out how much that is. */
  saturation: { perSecond: number } | { inFlight: number };
  clients: number;
  connections: number;
  /** Has the API run on a core of its own, and all else on the others, where that can be. */
  hasOwnCore?: boolean;
}

/** So many seconds of work may wait, where workers do any. */
export const BOUND_SECONDS = 2;

const WORKER_SLOTS = 10;
const perSecondOf = (slots: number) => (slots / meanWorkMs(MIXED_KINDS)) * 1_000;

/** What comes beyond this is more than a worker with handlers of the mix can do. */
export const BEYOND_WORKERS = { perSecond: 1.5 * perSecondOf(WORKER_SLOTS) };
export const SLOTS = WORKER_SLOTS;

/** Handlers that return at once: what takes time is to bring jobs to them. */
const IDLE_KINDS = MIXED_KINDS.map(({ type, weight }) => ({ type, weight }));

export const WORKERS: Bottleneck = {
  ...{ name: 'workers', slots: WORKER_SLOTS, kinds: MIXED_KINDS, saturation: BEYOND_WORKERS },
  ...{ clients: 1, connections: 256 },
};

/** The closed loop waits for less than what is refused, whatever the processor. */
export const PROCESSOR: Bottleneck = {
  ...{ name: 'processor', slots: 0, kinds: IDLE_KINDS, saturation: { inFlight: 64 }, hasOwnCore: true },
  ...{ clients: 3, connections: 600 },
};

export const POSTGRES: Bottleneck = {
  ...{ name: 'postgres', slots: 100, kinds: IDLE_KINDS, commitMs: 50, saturation: { inFlight: 128 } },
  ...{ clients: 1, connections: 512 },
};

export function saturate({ saturation }: Pick<Bottleneck, 'saturation'>, seconds: number): Load {
  return { ...saturation, seconds };
}
