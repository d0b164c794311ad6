import { mostInFlight, shareOfProcess, type TenantBound } from '@accepted/shared/core/fairness/tenant-share';

/** How much of a queue one tenant may have. Where there is only one tenant, that is all of it. */
export interface TenantShare {
  /** Of `slots` handlers in this process. */
  mostHere(slots: number): number;
  /** Of a lane whose workers run `slots` handlers: jobs dispatched or running; any number when `undefined`. */
  mostInFlight(slots: number, quickMs: number): TenantBound | undefined;
}

/** Each tenant gets `percent` of the slots at most while there are several. */
export function createTenantShare(percent: number, areSeveral: () => boolean): TenantShare {
  return {
    mostHere: (slots) => (areSeveral() ? shareOfProcess(slots, percent) : slots),
    mostInFlight: (slots, quickMs) =>
      areSeveral() && percent < 100 ? mostInFlight(slots, percent, quickMs) : undefined,
  };
}
