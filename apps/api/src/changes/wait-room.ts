/** Counts those who wait, in all and of each tenant. */
export interface WaitRoom {
  /** Whether one more of this tenant may wait. */
  hasRoom(tenantId: string): boolean;
  /** Counts one more; answers what to call when the waiting is over. */
  enter(tenantId: string): () => void;
}

export function createWaitRoom({ max, maxPerTenant }: { max: number; maxPerTenant: number }): WaitRoom {
  const ofTenant = new Map<string, number>();
  let total = 0;

  function count(tenantId: string, change: 1 | -1): void {
    const waiting = (ofTenant.get(tenantId) ?? 0) + change;
    total += change;
    if (waiting > 0) ofTenant.set(tenantId, waiting);
    else ofTenant.delete(tenantId);
  }

  return {
    hasRoom: (tenantId) => total < max && (ofTenant.get(tenantId) ?? 0) < maxPerTenant,
    enter(tenantId) {
      count(tenantId, 1);
      return () => count(tenantId, -1);
    },
  };
}
