import { setTimeout } from 'node:timers/promises';

export interface WaitOptions {
  /** Finishes the sentence "waited in vain until …". */
  until: string;
  timeoutMs?: number;
  intervalMs?: number;
}

/**
 * Asks `condition` again and again until it answers something truthy, and returns that; an error it throws counts as
 * "not yet". Throws with what was waited for, and the last error, after `timeoutMs` (10 s by default).
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { until, timeoutMs = 10_000, intervalMs = 20 }: WaitOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const answer = await condition();
      if (answer) return answer;
    } catch (error) {
      lastError = error;
    }
    await setTimeout(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${timeoutMs} ms in vain until ${until}`, { cause: lastError });
}
