import { setTimeout } from 'node:timers/promises';

export interface WaitOptions {
  /** Finishes the sentence "waited in vain until …". */
  until: string;
  timeoutMs?: number;
}

/** Often at first, so that what comes at once is seen at once; less often then, or the asking slows down what is waited for. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 150;
const PAUSE_GROWTH = 1.2;

/**
 * Asks `condition` again and again until it answers something truthy, and returns that; an error it throws counts as
 * "not yet". Throws with what was waited for, and the last error, after `timeoutMs` (10 s by default).
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { until, timeoutMs = 10_000 }: WaitOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  let pauseMs = FIRST_PAUSE_MS;
  do {
    try {
      const answer = await condition();
      if (answer) return answer;
    } catch (error) {
      lastError = error;
    }
    await setTimeout(pauseMs);
    pauseMs = Math.min(pauseMs * PAUSE_GROWTH, LONGEST_PAUSE_MS);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${timeoutMs} ms in vain until ${until}`, { cause: lastError });
}
