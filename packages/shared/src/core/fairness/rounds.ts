/** What waits, client by client: each that waits has its turn, however much another has waiting. */
export interface Rounds<Item> {
  add(client: string, item: Item): void;
  /** Takes what has waited longest of the client whose turn it is, of those that `may`; `undefined` when nothing of them waits. */
  next(may?: (client: string) => boolean): Item | undefined;
  /** Takes what came last of the client that has most waiting: it has waited the least, and others lose nothing by it. */
  takeLast(): Item | undefined;
  /** Takes what has waited longest of each client, for as long as `is` says so of it. */
  takeWhile(is: (item: Item) => boolean): Item[];
  isEmpty(): boolean;
  size(): number;
}

export function createRounds<Item>(): Rounds<Item> {
  /** The clients in the order of their turns, each with its items in the order that they came. */
  const waiting = new Map<string, Item[]>();
  let size = 0;

  function largest(): [string, Item[]] | undefined {
    let most: [string, Item[]] | undefined;
    for (const entry of waiting) if (!most || entry[1].length > most[1].length) most = entry;
    return most;
  }

  return {
    add(client, item) {
      size += 1;
      const items = waiting.get(client);
      if (items) items.push(item);
      else waiting.set(client, [item]);
    },
    next(may = () => true) {
      let first: [string, Item[]] | undefined;
      for (const entry of waiting) {
        first = may(entry[0]) ? entry : undefined;
        if (first) break;
      }
      if (!first) return undefined;
      const [client, items] = first;
      const item = items.shift();
      size -= 1;
      waiting.delete(client);
      if (items.length > 0) waiting.set(client, items);
      return item;
    },
    takeLast() {
      const most = largest();
      if (!most) return undefined;
      const [client, items] = most;
      const item = items.pop();
      size -= 1;
      if (items.length === 0) waiting.delete(client);
      return item;
    },
    takeWhile(is) {
      const taken: Item[] = [];
      for (const [client, items] of waiting) {
        const kept = items.findIndex((item) => !is(item));
        taken.push(...items.splice(0, kept === -1 ? items.length : kept));
        if (items.length === 0) waiting.delete(client);
      }
      size -= taken.length;
      return taken;
    },
    isEmpty: () => size === 0,
    size: () => size,
  };
}
