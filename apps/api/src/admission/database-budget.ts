import { Problem } from '../http/problem.ts';

/**
 * Limits how long one request may wait for Postgres in all. When it is spent, the caller gets its 503 while the statement
 * may go on: a client that sends its idempotency key again then finds the same job.
 */
export interface DatabaseBudget {
  remainingMs: number;
}

/** Waits for `promise` within the budget; throws `database_unavailable` when that is spent. */
export function spend<T>(budget: DatabaseBudget, promise: Promise<T>): Promise<T> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      budget.remainingMs = 0;
      reject(databaseUnavailable());
    }, budget.remainingMs);
    const stop = () => {
      clearTimeout(timer);
      budget.remainingMs = Math.max(0, budget.remainingMs - (performance.now() - started));
    };
    promise.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

/** Makes the problem that says: nothing was promised, come again. */
export function databaseUnavailable(cause?: unknown): Problem {
  return new Problem('database_unavailable', { headers: { 'retry-after': '2' }, cause });
}
