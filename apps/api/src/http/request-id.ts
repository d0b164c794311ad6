import type { IncomingMessage } from 'node:http';
import { newUuid } from '@accepted/shared/core/job/id';

const SANE = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** Takes the caller's `x-request-id` when it is safe to log and to store, or makes a new id. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : newUuid();
}
