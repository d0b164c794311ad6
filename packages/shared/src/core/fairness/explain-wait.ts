import { chooseJobs } from './choose-jobs.ts';
import { type GateKind, gateOf, gatesOf, kindOfGate } from './gates.ts';
import { lanesTaking, type TakenTypes } from './lanes.ts';
import { keyOf, type LineName } from './queue-lines.ts';
import type { LaneWindow, QueuePicture } from './queue-picture.ts';

/** Why jobs that are due are not started, whoever is next. */
export type WaitCode =
  | 'queue_paused'
  | 'type_paused'
  | 'tenant_paused'
  | 'no_worker'
  | 'concurrency_key_full'
  | 'type_limit'
  | 'tenant_limit'
  | 'queue_limit'
  | 'rate_limit';

/** What holds for the jobs of a queue. */
export interface WaitConditions {
  /** Gates that are paused, and gates of which all slots are taken (`gates.ts`). */
  paused: ReadonlySet<string>;
  full: ReadonlySet<string>;
  /** Gates of which as many were started as their rate allows. */
  rated: ReadonlySet<string>;
  /** What the builds of the live workers take. */
  takenBy: readonly TakenTypes[];
}

const WHEN_PAUSED: Record<GateKind, WaitCode | undefined> = {
  queue: 'queue_paused',
  type: 'type_paused',
  tenant: 'tenant_paused',
  key: undefined,
};

const WHEN_FULL: Record<GateKind, WaitCode> = {
  queue: 'queue_limit',
  type: 'type_limit',
  tenant: 'tenant_limit',
  key: 'concurrency_key_full',
};

/** Answers what holds up the jobs of a line, the hardest first; nothing where they only wait for their turn. */
export function whyWaiting(
  line: Pick<LineName, 'tenantId' | 'type' | 'refusedBy' | 'blockedBy'>,
  { paused, full, rated, takenBy }: WaitConditions,
): WaitCode[] {
  const gates = gatesOf(line);
  const closed = (closed: ReadonlySet<string>, codes: Record<GateKind, WaitCode | undefined>) =>
    gates.filter((gate) => closed.has(gate)).flatMap((gate) => codes[kindOfGate(gate)] ?? []);
  return [
    ...closed(paused, WHEN_PAUSED),
    ...(lanesTaking(line, takenBy).length === 0 ? (['no_worker'] as const) : []),
    ...closed(full, WHEN_FULL),
    ...(gates.some((gate) => rated.has(gate)) ? (['rate_limit'] as const) : []),
  ];
}

/** Who goes before whom, as far as it was looked ahead. */
export interface Foreseen {
  /** How many jobs were looked at. */
  lookedAt(): number;
  /** How many jobs go before the one that has `before` others before it in its line; `undefined`: more than were looked at. */
  ahead(line: LineName, before: number): number | undefined;
}

/**
 * Chooses jobs as the dispatcher does, as if there were room for all, up to `most` of them. It uses the picture up: who is
 * next is charged there.
 */
export function foresee(picture: QueuePicture, windows: readonly LaneWindow[], most: number): Foreseen {
  const unbounded = windows.map(({ buildId }) => ({ buildId, size: Number.POSITIVE_INFINITY }));
  let chosen: Map<string, number[]> | undefined;
  // Not everybody who looks at a queue asks.
  const placesOf = () => {
    chosen ??= new Map(
      chooseJobs(picture, unbounded, most).lines.map(({ line, places }) => [keyOf(line), places]),
    );
    return chosen;
  };
  return {
    lookedAt: () =>
      placesOf()
        .values()
        .reduce((sum, places) => sum + places.length, 0),
    ahead: (line, before) => placesOf().get(keyOf(line))?.[before],
  };
}

/** Where a job stands that is due and was not dispatched. */
export interface Stand {
  line: LineName;
  /** How many stand before it in its line. */
  before: number;
  concurrencyKey: string | null;
  /** How many of its key may be in flight, where no live build says so of its type, and how many are. */
  concurrencyLimit: number | null;
  held: number;
}

/** What those who decide in a queue go by, and what they would do. */
export interface Outlook {
  conditions: WaitConditions;
  foreseen: Foreseen;
  /** Whether there may be lines that nobody looked at. */
  isCut: boolean;
  /** How many jobs of one concurrency key may be in flight, by type. */
  keyLimits: readonly { name: string; most: number }[];
}

export type WaitExplanation =
  | { codes: WaitCode[] }
  /** Nothing holds it up; `isAtLeast`: there may be more before it. */
  | { ahead: number; isAtLeast: boolean };

/** Says what holds a job up, or else how many go before it. */
export function explainWait(
  stand: Stand,
  { conditions, foreseen, isCut, keyLimits }: Outlook,
): WaitExplanation {
  const { line, before, concurrencyKey, held } = stand;
  const most = keyLimits.find(({ name }) => name === line.type)?.most ?? stand.concurrencyLimit;
  const full = new Set(conditions.full);
  if (concurrencyKey !== null && most !== null && held >= most)
    full.add(gateOf.key(line.tenantId, concurrencyKey));
  const codes = whyWaiting({ ...line, blockedBy: concurrencyKey }, { ...conditions, full });
  if (codes.length > 0) return { codes };
  const ahead = foreseen.ahead(line, before);
  return { ahead: ahead ?? Math.max(before, foreseen.lookedAt()), isAtLeast: isCut || ahead === undefined };
}
