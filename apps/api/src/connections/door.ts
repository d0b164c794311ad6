import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRounds } from '@accepted/shared/core/fairness/rounds';
import type { ConcurrencyLimitOptions } from '@accepted/shared/core/overload/concurrency-limit';
import { createControlledDelay } from '@accepted/shared/core/overload/controlled-delay';
import { createPace } from '@accepted/shared/core/overload/pace';
import { createPlaces, type Places } from './places.ts';
import { createSlices, type SliceBounds } from './slices.ts';

/** A request, and what is to become of it: one of the two is called, once, unless its client is gone. */
export interface Guest {
  request: IncomingMessage;
  response: ServerResponse;
  begin: () => void;
  refuse: () => void;
}

/** Lets requests begin: at once while there are few, client by client when there are more, and none of those that would be late. */
export interface Door extends Pick<Places, 'noteWait' | 'sizes' | 'close'> {
  enter(client: string, guest: Guest): void;
  /** Gives back the place of a request that has one here. */
  leave(response: ServerResponse): void;
}

export interface DoorBounds {
  /** How many may be worked on at once: fewer while the event loop is later than this. */
  atOnce: ConcurrencyLimitOptions;
  slice: SliceBounds;
  /** So many may wait where they come at once. */
  mostWaiting: number;
}

/** Nobody waits for longer than `mostMs` but in a burst, nor than `strictMs` while more come than can be served. */
const WAIT_BOUNDS = { mostMs: 100, strictMs: 20 };
/** However slowly others begin, so many may wait. */
const LEAST_WAITING = 8;

interface Waiting extends Guest {
  client: string;
  sinceMs: number;
}

export function createDoor({ atOnce, slice, mostWaiting }: DoorBounds): Door {
  const delay = createControlledDelay(WAIT_BOUNDS);
  const begun = createPace();
  const waiting = createRounds<Waiting>();
  const places = createPlaces(atOnce, {
    onLeave: () => !waiting.isEmpty() && slices.schedule(),
    onStretch: refuseLate,
  });
  const slices = createSlices(slice, beginMore);

  function run({ client, request, response, begin }: Omit<Waiting, 'sinceMs'>, nowMs: number): void {
    places.take(client, request, response, nowMs);
    begun.count(nowMs);
    slices.run(begin);
  }

  function refuseLate(): void {
    const nowMs = performance.now();
    for (const { refuse } of waiting.takeWhile(({ sinceMs }) => delay.isLate(nowMs - sinceMs, nowMs)))
      refuse();
  }

  function mayWait(nowMs: number): number {
    if (!delay.isStrict(nowMs)) return mostWaiting;
    return Math.max(LEAST_WAITING, Math.ceil((begun.perSecond(nowMs) * WAIT_BOUNDS.strictMs) / 1_000));
  }

  function beginMore(): void {
    places.leaveWithoutBody();
    while (!slices.isUsedUp()) {
      const next = places.isFree() ? waiting.next() : waiting.next(places.isFreeFor);
      if (!next) return;
      const nowMs = performance.now();
      // Nobody is left to be answered.
      if (next.request.socket.destroyed) continue;
      if (delay.isLate(nowMs - next.sinceMs, nowMs)) next.refuse();
      else run(next, nowMs);
    }
  }

  return {
    enter(client, guest) {
      slices.schedule();
      const nowMs = performance.now();
      if (waiting.isEmpty() && (places.isFree() || places.isFreeFor(client)) && !slices.isUsedUp()) {
        run({ ...guest, client }, nowMs);
        return;
      }
      waiting.add(client, { ...guest, client, sinceMs: nowMs });
      if (waiting.size() <= mayWait(nowMs)) return;
      delay.noteCrowd(nowMs);
      waiting.takeLast()?.refuse();
    },
    leave: places.leave,
    noteWait: places.noteWait,
    sizes: places.sizes,
    close: places.close,
  };
}
