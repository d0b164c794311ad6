/** Answers nothing, or the promise that it is given where too many others are under way. */
export type OutcomeLimit = (settled: Promise<void>) => Promise<void> | undefined;

/**
 * Makes the function that lets a worker go on while outcomes are written, but for those beyond `limit`: it answers a
 * promise to wait for only when too many others have not settled. The promise that it is given must not reject.
 */
export function limitUnderWay(limit: number): OutcomeLimit {
  let underWay = 0;
  return (settled) => {
    underWay += 1;
    const ended = settled.then(() => {
      underWay -= 1;
    });
    return underWay > limit ? ended : undefined;
  };
}
