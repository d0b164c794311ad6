import type { AttemptResult } from '../job/decide-outcome.ts';

/** What an attempt says of what it called: `unknown` where it did not get as far. */
export type CallVerdict = 'answered' | 'failed' | 'unknown';

/** RFC 9110: a timeout of the server, too early, too many requests, and its own errors. Every other status is the caller's fault. */
const FAILED_STATUS = /^http_(408|425|429|5\d\d)$/;
const ANSWERED = /^(http_\d{3}|endpoint_gone)$/;
const NO_REPLY = ['network_error', 'request_timeout'];

/** Judges what a job called by how its attempt ended; the codes are those of the built-in handlers. */
export function callVerdict(result: AttemptResult): CallVerdict {
  if (result.kind === 'returned') return 'answered';
  if (result.kind === 'timedOut') return 'failed';
  if (result.kind !== 'threw') return 'unknown';
  const { code } = result.error;
  if (FAILED_STATUS.test(code) || NO_REPLY.includes(code)) return 'failed';
  return ANSWERED.test(code) ? 'answered' : 'unknown';
}
