/** How long a handler may take so that the next of its kind may be dispatched before it has ended. */
const QUICK_MS = 250;
/** So much of a tenant's work is dispatched ahead while its handlers are quick: it outlasts the time to the next look. */
const AHEAD_MS = 500;
const LOOK_AGAIN_MS = 50;
const MAX_LOOK_AGAIN_MS = 100;
/** Of slow handlers, a slot that has come free stays so for this part of the time that they take. */
const IDLE_PART = 1 / 20;

/**
 * Answers how many of `slots` handlers one tenant may have at once, wherever others could come: `percent` of them, and one at
 * least. What is left is there for newcomers, as nobody can take a slot from a handler that runs.
 */
export function shareOf(slots: number, percent: number): number {
  return Math.max(1, Math.floor((slots * percent) / 100));
}

/**
 * Answers the same for one process of several. It rounds up, so that no process refuses what the share of all of them
 * allows: where one has less than five slots the dispatcher alone sees to the share.
 */
export function shareOfProcess(slots: number, percent: number): number {
  return Math.ceil((slots * percent) / 100);
}

/** How many jobs of one tenant may be dispatched or running. */
export interface TenantBound {
  /** Of all its jobs. */
  all: number;
  /** Of those whose handlers are not known to be quick. */
  slow: number;
  /** So many jobs of others take what would be kept free: then it may have so much of the window instead, in percent. */
  beside?: { others: number; percent: number };
}

/** Tells whether a handler that takes so long is quick. */
export function isQuick(handlerMs: number): boolean {
  return handlerMs <= QUICK_MS;
}

/**
 * Answers how many jobs a tenant may have in flight that may have `percent` of `slots`, where quick handlers take `quickMs`.
 * What is dispatched ahead is for the moment until the next look, and only of quick handlers: the engine gives it to the
 * next free slot.
 */
export function mostInFlight(slots: number, percent: number, quickMs: number): TenantBound {
  const share = shareOf(slots, percent);
  const ahead = isQuick(quickMs) ? Math.ceil((share * AHEAD_MS) / Math.max(1, quickMs)) : 0;
  return { all: share + ahead, slow: share, beside: { others: slots - share, percent } };
}

/**
 * Answers what a tenant may have beside `others` jobs of other tenants in a window of `size`, of which `mostSlow` may be slow. Where those
 * take the slots that are kept free, the bound would only keep the tenant from what its weight gives it. Of slow jobs it is as many more as
 * the others have beyond those slots: what goes ahead beside the only job of another would have its slot when that has ended.
 */
export function mostBeside(
  bound: TenantBound,
  others: number,
  { size, mostSlow = size }: { size: number; mostSlow?: number | undefined },
): Pick<TenantBound, 'all' | 'slow'> {
  const { all, slow, beside } = bound;
  if (!beside || others < beside.others) return bound;
  const partOf = (window: number) => Math.floor((window * beside.percent) / 100);
  const mostBesideAsMany = slow + others - beside.others;
  return {
    all: Math.max(all, partOf(size)),
    slow: Math.max(slow, Math.min(partOf(mostSlow), mostBesideAsMany)),
  };
}

/** Answers in how many milliseconds it pays to look again for jobs that a tenant's share has held back. */
export function lookAgainInMs(handlerMs: number): number {
  if (isQuick(handlerMs)) return LOOK_AGAIN_MS;
  return Math.min(MAX_LOOK_AGAIN_MS, handlerMs * IDLE_PART);
}

/** Answers how many jobs, whosever they are, give no tenant more than its share, where `most` is what one of them has. */
export function mostAtOnce(bound: TenantBound | undefined, most: () => TenantBound): number {
  if (!bound) return Number.POSITIVE_INFINITY;
  const { all, slow } = most();
  return Math.min(bound.all - all, bound.slow - slow);
}
