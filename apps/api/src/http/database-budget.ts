import { Problem } from './problem.ts';

/**
 * Limits how long one request may wait for Postgres in all. When it is spent, the caller gets its 503 while the statement
 * may go on: a client that sends its idempotency key again then finds the same job.
 */
export interface DatabaseBudget {
  remainingMs: number;
}

/** Waits for `promise` within the budget; throws `database_unavailable` when that is spent. */
export async function spend<T>(budget: DatabaseBudget, promise: Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await withDeadline(promise, Math.max(0, budget.remainingMs));
  } finally {
    budget.remainingMs -= performance.now() - started;
  }
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(databaseUnavailable()), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes the problem that says: nothing was promised, come again. */
export function databaseUnavailable(cause?: unknown): Problem {
  return new Problem('database_unavailable', { headers: { 'retry-after': '2' }, cause });
}
