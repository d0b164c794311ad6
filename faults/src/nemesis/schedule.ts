import { type EngineKind, traitsOf } from '../kinds.ts';
import { createRandom } from '../random.ts';
import { ALL_FAULTS } from './all-faults.ts';
import type { Fault } from './fault.ts';

export interface ScheduledFault {
  fault: Fault;
  /** From the start of the load. */
  atMs: number;
  /** What the fault draws its targets and times from. */
  seed: number;
}

/** How far from its even place in time a fault may be moved, as a part of the distance between two. */
const JITTER = 0.8;
const START_MS = 1_500;

/**
 * Plans `count` faults over the time of the load, the same ones for the same seed. The kinds come in by their shares
 * as seats do by Sainte-Laguë, so that a short run has the frequent ones and a long run has them all.
 */
export function scheduleFaults(options: {
  engine: EngineKind;
  count: number;
  seed: number;
  seconds: number;
  leftOut: ReadonlySet<string>;
}): ScheduledFault[] {
  const { engine, count, seconds, leftOut } = options;
  const random = createRandom(options.seed);
  const possible = ALL_FAULTS.filter(
    ({ fault }) => traitsOf(fault.kind).engines.includes(engine) && !leftOut.has(fault.kind),
  );
  const distanceMs = (seconds * 1_000 - START_MS) / Math.max(1, count);
  return random.shuffled(apportion(possible, count)).map((fault, index) => ({
    fault,
    atMs: START_MS + distanceMs * (index + JITTER * random.fraction()),
    seed: random.int(0, 2 ** 31 - 1),
  }));
}

function apportion(possible: { fault: Fault; share: number }[], count: number): Fault[] {
  const seats = possible.map((entry) => ({ ...entry, taken: 0 }));
  const chosen: Fault[] = [];
  while (chosen.length < count) {
    const claim = (seat: (typeof seats)[number]) => seat.share / (2 * seat.taken + 1);
    const next = seats.reduce((best, seat) => (claim(seat) > claim(best) ? seat : best));
    next.taken += 1;
    chosen.push(next.fault);
  }
  return chosen;
}
