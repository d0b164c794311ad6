import {
  mostInFlight,
  shareOf,
  shareOfProcess,
  type TenantBound,
} from '@accepted/shared/core/fairness/tenant-share';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { hasSeveralTenants } from '@accepted/shared/ledger/tenants/tenants';
import { type Loop, startLoop } from '../loop.ts';

/** Tenants are added seldom, and by hand. */
const LOOK_MS = 5_000;

/** How much of a queue one tenant may have. Where there is only one tenant, that is all of it. */
export interface TenantShare extends Loop {
  /** Of `slots` handlers in this process. */
  mostHere(slots: number): number;
  /** Of a lane whose workers run `slots` handlers: jobs dispatched or running; any number when `undefined`. */
  mostInFlight(slots: number, quickMs: number): TenantBound | undefined;
}

/** Starts to follow whether there are several tenants; each of them gets `percent` of the slots at most then. */
export async function startTenantShare(options: {
  db: Database;
  percent: number;
  onError: (error: unknown) => void;
}): Promise<TenantShare> {
  const { db, percent, onError } = options;
  let isShared = await hasSeveralTenants(db);

  async function runOnce(): Promise<number> {
    isShared = await hasSeveralTenants(db);
    return LOOK_MS;
  }

  const loop = startLoop({ runOnce, retryAfterMs: LOOK_MS, onError });
  return {
    ...loop,
    mostHere: (slots) => (isShared ? shareOfProcess(slots, percent) : slots),
    mostInFlight: (slots, quickMs) =>
      isShared && percent < 100 ? mostInFlight(shareOf(slots, percent), quickMs) : undefined,
  };
}
