import type { IncomingMessage, ServerResponse } from 'node:http';
import { createControlledDelay } from '@accepted/shared/core/overload/controlled-delay';
import { createPace } from '@accepted/shared/core/overload/pace';
import { createReturnLine } from '@accepted/shared/core/overload/return-line';
import { refuseRequest } from '../http/broken-requests.ts';
import { originForm } from '../http/origin-form.ts';
import { Problem } from '../http/problem.ts';

/** Refuses requests that have waited for their turn for too long, before anything is done for them. */
export interface LateRequests {
  /** Answers whether the request was refused. */
  refuse(request: IncomingMessage, response: ServerResponse, waitedMs: number): boolean;
}

/** A crowd that comes at once has its turn within this; where that is not enough, what is served is to have waited for little. */
const WAIT_BOUNDS = { mostMs: 100, strictMs: 20 };
/** So much is read of a body that nobody wants, to keep the connection. */
const MOST_READ_BYTES = 64 * 1024;
/** Who comes to a process that has too much to do may find another one, or this one sooner than by the line of those who do not heed it. */
const MOST_RETURN_MS = 30_000;
/** What watches this process asks it for these, and takes it for dead where it is not answered. */
const HEALTH = new Set(['/livez', '/readyz']);

/** `onRefused` is told of each. */
export function createLateRequests(publicUrl: string, onRefused: (problem: Problem) => void): LateRequests {
  const delay = createControlledDelay(WAIT_BOUNDS);
  const served = createPace();
  const returns = createReturnLine(MOST_RETURN_MS);
  return {
    refuse(request, response, waitedMs) {
      const nowMs = performance.now();
      if (isHealth(request) || !delay.isLate(waitedMs, nowMs)) {
        served.count(nowMs);
        return false;
      }
      const seconds = Math.ceil(returns.nextInMs(nowMs, served.perSecond(nowMs)) / 1_000);
      const problem = tooLate(seconds);
      refuseRequest(response, problem, publicUrl, { keepsConnection: isSmall(request) });
      onRefused(problem);
      return true;
    },
  };
}

function isHealth({ url = '' }: IncomingMessage): boolean {
  const [path = ''] = originForm(url).split('?');
  return HEALTH.has(path);
}

function isSmall({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= MOST_READ_BYTES;
}

function tooLate(seconds: number): Problem {
  const detail = 'Requests come faster than this server can work on them, and this one waited for too long.';
  return new Problem('overloaded', { detail, headers: { 'retry-after': String(seconds) } });
}
