import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { countJobs, hurryDeliveries } from './world/ledger.ts';
import type { World } from './world/world.ts';

const LOOK_EVERY_MS = 500;

/**
 * Waits until every job has ended, with retries of deliveries made due at once; answers when that was, or `null` when
 * the time for it ran out, or `isShown` says that there is nothing more to wait for.
 */
export async function drain(
  { ledger }: World,
  deadline: AbortSignal,
  isShown: (db: Database) => Promise<boolean> = async () => false,
): Promise<number | null> {
  while (!deadline.aborted && !(await ledger.ask(isShown))) {
    await ledger.ask(hurryDeliveries);
    if ((await ledger.ask(countJobs)).open === 0) return Date.now();
    await delay(LOOK_EVERY_MS);
  }
  return null;
}
