import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPace } from '@accepted/shared/core/overload/pace';
import { createReturnLine, wholeSeconds } from '@accepted/shared/core/overload/return-line';
import { refuseRequest } from '../http/broken-requests.ts';
import { Problem } from '../http/problem.ts';

/** Tells requests that there is no time for them when to come back. */
export interface LateRequests {
  /** Is told of each that is served. */
  noteServed(): void;
  /** Answers a request before anything was done for it. */
  refuse(request: IncomingMessage, response: ServerResponse): void;
}

/** So much is read of a body that nobody wants, to keep the connection. */
const MOST_READ_BYTES = 64 * 1024;
/** Who comes to a process that has too much to do may find another one, or this one sooner than by the line of those who do not heed it. */
const MOST_RETURN_MS = 30_000;

/** `onRefused` is told of each. */
export function createLateRequests(publicUrl: string, onRefused: (problem: Problem) => void): LateRequests {
  const served = createPace();
  const returns = createReturnLine(MOST_RETURN_MS);
  return {
    noteServed: () => served.count(performance.now()),
    refuse(request, response) {
      const nowMs = performance.now();
      const seconds = wholeSeconds(returns.nextInMs(nowMs, served.perSecond(nowMs)));
      const problem = tooLate(seconds);
      refuseRequest(response, problem, publicUrl, { keepsConnection: isSmall(request) });
      onRefused(problem);
    },
  };
}

function isSmall({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= MOST_READ_BYTES;
}

function tooLate(seconds: number): Problem {
  const detail =
    'Requests come faster than this server can work on them, and this one would wait for too long.';
  return new Problem('overloaded', { detail, headers: { 'retry-after': String(seconds) } });
}
