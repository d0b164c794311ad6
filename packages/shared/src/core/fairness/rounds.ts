/** What waits, client by client: each that waits has its turn, however much another has waiting. */
export interface Rounds<Item> {
  add(client: string, item: Item): void;
  /** Takes what has waited longest of the client whose turn it is; `undefined` when nothing waits. */
  next(): Item | undefined;
  isEmpty(): boolean;
}

export function createRounds<Item>(): Rounds<Item> {
  /** The clients in the order of their turns, each with its items in the order that they came. */
  const waiting = new Map<string, Item[]>();
  return {
    add(client, item) {
      const items = waiting.get(client);
      if (items) items.push(item);
      else waiting.set(client, [item]);
    },
    next() {
      const [first] = waiting;
      if (!first) return undefined;
      const [client, items] = first;
      const item = items.shift();
      waiting.delete(client);
      if (items.length > 0) waiting.set(client, items);
      return item;
    },
    isEmpty: () => waiting.size === 0,
  };
}
