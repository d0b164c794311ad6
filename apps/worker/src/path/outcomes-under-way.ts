/** Resolves at once, or with the promise that it is given where too many others are under way. */
export type OutcomeLimit = (settled: Promise<void>) => Promise<void>;

/**
 * Makes the function that lets a worker go on while outcomes are written, but for those beyond `limit`: it resolves at
 * once, or with the promise that it is given when too many others have not settled. The promise must not reject.
 */
export function limitUnderWay(limit: number): OutcomeLimit {
  let underWay = 0;
  return async (settled) => {
    underWay += 1;
    const ended = settled.finally(() => {
      underWay -= 1;
    });
    if (underWay > limit) await ended;
  };
}
