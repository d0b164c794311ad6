import type { Operation } from './document/api-document.ts';

/** One request to come: which of an operation's it is. */
export interface Planned {
  operation: Operation;
  number: number;
}

/** Lays out so many requests in rounds over all operations; those with a body, of which more can be wrong, come twice in each. */
export function planRequests(operations: readonly Operation[], requests: number): Planned[] {
  const round = operations.flatMap((operation) => (operation.body ? [operation, operation] : [operation]));
  if (round.length === 0) return [];
  const numbers = new Map<Operation, number>();
  return Array.from({ length: requests }, (_, index) => {
    const operation = round[index % round.length] as Operation;
    const number = numbers.get(operation) ?? 0;
    numbers.set(operation, number + 1);
    return { operation, number };
  });
}
