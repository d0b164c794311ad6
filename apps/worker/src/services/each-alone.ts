import pLimit from 'p-limit';

/** So many at once leave connections for the rest of the worker. */
const AT_ONCE = 4;

/**
 * Does `work` for each item and answers what came of it, in the order of the items. One that fails is told, and one that
 * hangs is waited for, but neither keeps the others from being done.
 */
export async function eachAlone<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  onError: (error: unknown, item: Item) => unknown,
): Promise<Result[]> {
  const limit = pLimit(AT_ONCE);
  const ended = await Promise.all(
    items.map((item) =>
      limit(work, item).then(
        (result) => [result],
        async (error: unknown) => {
          await onError(error, item);
          return [];
        },
      ),
    ),
  );
  return ended.flat(1) as Result[];
}
