import { setTimeout as delay } from 'node:timers/promises';

/** Postgres has taken back a statement or transaction because of another one, and says that it may go through next time. */
const CONFLICT = /^(40001|40P01)$/;

const MAX_TRIES = 6;
/** Twice as long each time, at random, so that two do not meet again: 0.3 s in all at most, within any request's budget. */
const FIRST_WAIT_MS = 10;

/** Tells whether an error is a serialization failure or a deadlock. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CONFLICT.test(String(error.code));
}

/**
 * Does `work` again when it was taken back because of a conflict, unless `mayTryAgain` says no; throws the last error
 * when six tries met one. `work` must leave nothing behind but what Postgres takes back.
 */
export async function retryConflicts<T>(
  work: () => Promise<T>,
  mayTryAgain: () => boolean = () => true,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
      await delay(FIRST_WAIT_MS * 2 ** (tries - 1) * Math.random());
      if (!mayTryAgain()) throw error;
    }
  }
}
