import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  createConcurrencyLimit,
} from '@accepted/shared/core/overload/concurrency-limit';
import { type LoopWatch, watchLoop } from '@accepted/shared/runtime/event-loop/loop-delay';

/** Who is worked on: no more at once than event loop and connections have turns for in time. */
export interface Places {
  isFree(): boolean;
  /** Whether a client has one that has none: for those some are kept that the others cannot fill. */
  isFreeFor(client: string): boolean;
  take(client: string, request: IncomingMessage, response: ServerResponse, nowMs: number): void;
  leave(response: ServerResponse): void;
  /** Has those leave whose bodies have not come with their heads, until they have: whoever sends slowly must not keep others out. */
  leaveWithoutBody(): void;
  /** Is told how long somebody inside waited for a connection to Postgres: that is time in a queue as well. */
  noteWait(ms: number): void;
  sizes(): { inside: number; limit: number };
  close(): void;
}

const STRETCH_MS = 50;
const LOOKS_MS = 10;
/** A request that takes longer waits for something else. */
const LONGEST_INSIDE_MS = 1_000;
/** So much of what may be inside is there besides, for clients that have nothing there. */
const SPARE_PART = 1 / 4;

interface Inside {
  client: string;
  beganMs: number;
}

/** `onLeave` is called when a place is free, and `onStretch` every now and then while there is anything to do. */
export function createPlaces(
  atOnce: ConcurrencyLimitOptions,
  { onLeave, onStretch }: { onLeave: () => void; onStretch: () => void },
): Places {
  const limit = createConcurrencyLimit(atOnce);
  /** The first one first. */
  const inside = new Map<ServerResponse, Inside>();
  const ofClient = new Map<string, number>();
  let withBodies: { client: string; request: IncomingMessage; response: ServerResponse }[] = [];
  const stretches = createStretches(limit, () => {
    leaveOverdue();
    onStretch();
    return inside.size;
  });

  function sitDown(client: string, response: ServerResponse, beganMs: number): void {
    inside.set(response, { client, beganMs });
    ofClient.set(client, (ofClient.get(client) ?? 0) + 1);
    stretches.note(inside.size);
  }

  function leave(response: ServerResponse): void {
    const { client } = inside.get(response) ?? {};
    if (client === undefined) return;
    inside.delete(response);
    const left = (ofClient.get(client) ?? 1) - 1;
    if (left > 0) ofClient.set(client, left);
    else ofClient.delete(client);
    onLeave();
  }

  function leaveOverdue(): void {
    const sinceMs = performance.now() - LONGEST_INSIDE_MS;
    for (const [response, { beganMs }] of inside) {
      if (beganMs > sinceMs) return;
      leave(response);
    }
  }

  return {
    isFree: () => inside.size < limit.size(),
    isFreeFor: (client) => !ofClient.has(client) && inside.size < limit.size() * (1 + SPARE_PART),
    take(client, request, response, nowMs) {
      sitDown(client, response, nowMs);
      response.once('prefinish', () => leave(response));
      response.once('close', () => leave(response));
      if (hasBody(request)) withBodies.push({ client, request, response });
    },
    leave,
    leaveWithoutBody() {
      for (const { client, request, response } of withBodies) {
        if (request.complete || !inside.has(response)) continue;
        leave(response);
        request.once('end', () => {
          if (!response.writableEnded && !response.destroyed) sitDown(client, response, performance.now());
        });
      }
      withBodies = [];
    },
    noteWait: stretches.noteWait,
    sizes: () => ({ inside: inside.size, limit: limit.size() }),
    close: stretches.stop,
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Tells a limit how late the event loop is, and what is waited for beside it; `onEnd` answers how many are worked on as the next stretch begins. */
function createStretches(limit: ConcurrencyLimit, onEnd: () => number) {
  let watched: { loop: LoopWatch; timer: NodeJS.Timeout } | undefined;
  let mostAtOnce = 0;
  let waits = { count: 0, ms: 0 };

  function stop(): void {
    watched?.loop.stop();
    clearInterval(watched?.timer);
    watched = undefined;
  }

  function end(): void {
    if (!watched || mostAtOnce === 0) {
      stop();
      return;
    }
    const waitedMs = waits.count > 0 ? waits.ms / waits.count : 0;
    limit.follow({ lateMs: watched.loop.read().lateMs + waitedMs, mostAtOnce });
    waits = { count: 0, ms: 0 };
    mostAtOnce = onEnd();
  }

  return {
    /** Is told how many are worked on now. */
    note(atOnce: number): void {
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      watched ??= { loop: watchLoop(LOOKS_MS), timer: setInterval(end, STRETCH_MS).unref() };
    },
    noteWait(ms: number): void {
      waits.count += 1;
      waits.ms += ms;
    },
    stop,
  };
}
