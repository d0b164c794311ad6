import type { LineName } from './queue-lines.ts';

const KEY = 'key ';

/**
 * Names what lines go through: while a gate is closed none of its jobs has a turn, and nobody steps over them. The ledger tells by
 * the same names what is full (`migrations/0027_limits.ts`).
 */
export const gateOf = {
  key: (tenantId: string, key: string) => `${KEY}${tenantId} ${key}`,
  type: (type: string) => `type ${type}`,
  tenant: (tenantId: string) => `tenant ${tenantId}`,
  queue: () => 'queue',
};

/** Lists what the jobs of a line go through: what they wait for a slot of is a key's. */
export function gatesOf({
  tenantId,
  type,
  blockedBy,
}: Pick<LineName, 'tenantId' | 'type' | 'blockedBy'>): string[] {
  const gates = [gateOf.queue(), gateOf.type(type), gateOf.tenant(tenantId)];
  return blockedBy === null ? gates : [...gates, gateOf.key(tenantId, blockedBy)];
}

/** What can hold up all jobs that go through a gate. */
export type GateKind = 'queue' | 'type' | 'tenant' | 'key';

export function kindOfGate(gate: string): GateKind {
  return gate.split(' ', 1)[0] as GateKind;
}

/** The type whose gate it is; `undefined` where it is another one. */
export function typeOfGate(gate: string): string | undefined {
  return kindOfGate(gate) === 'type' ? gate.slice('type '.length) : undefined;
}

/** Gates, and what stands behind each: it is open while none of its gates is full or paused. */
export interface Gates<Item> {
  add(item: Item, gates: readonly string[]): void;
  remove(item: Item, gates: readonly string[]): void;
  areOpen(gates: readonly string[]): boolean;
  /**
   * Closes a gate that is full until it is opened. Nobody tells of what jobs of other queues leave free there. What goes through that of
   * a type is not settled for that: much may, and it fills and empties all the time, so whoever chooses asks `isFull`.
   */
  close(gate: string, isHeldElsewhere: boolean): void;
  open(gate: string): void;
  isFull(gate: string): boolean;
  openAll(): void;
  /** Opens all that are full, but for those of which this says that they still are. */
  openUnless(isStillFull: (gate: string) => boolean): void;
  openHeldElsewhere(): void;
  isAnyHeldElsewhere(): boolean;
  /** Whether a gate is full that is no key's: nobody tells when there is room again. */
  isAnyLimitReached(): boolean;
  /** Has exactly these gates be paused, full or not. */
  pause(gates: ReadonlySet<string>): void;
}

/** `settle` gets each that stands behind a gate which has opened or closed. */
export function createGates<Item>(settle: (item: Item) => void): Gates<Item> {
  const behind = new Map<string, Set<Item>>();
  const full = new Set<string>();
  const heldElsewhere = new Set<string>();
  const fullLimits = new Set<string>();
  let paused: ReadonlySet<string> = new Set();

  function settleBehind(gate: string): void {
    for (const item of behind.get(gate) ?? []) settle(item);
  }

  function forget(gate: string): boolean {
    heldElsewhere.delete(gate);
    fullLimits.delete(gate);
    return full.delete(gate);
  }

  const isSettled = (gate: string) => kindOfGate(gate) !== 'type';

  function open(gate: string): void {
    if (forget(gate) && isSettled(gate)) settleBehind(gate);
  }

  return {
    add(item, gates) {
      for (const gate of gates) behind.set(gate, (behind.get(gate) ?? new Set()).add(item));
    },
    remove(item, gates) {
      for (const gate of gates) {
        const others = behind.get(gate);
        others?.delete(item);
        if (others?.size !== 0) continue;
        behind.delete(gate);
        forget(gate);
      }
    },
    areOpen: (gates) => !gates.some((gate) => (full.has(gate) && isSettled(gate)) || paused.has(gate)),
    close(gate, isHeldElsewhere) {
      if (!behind.has(gate)) return;
      full.add(gate);
      if (!gate.startsWith(KEY)) fullLimits.add(gate);
      if (isHeldElsewhere) heldElsewhere.add(gate);
      if (isSettled(gate)) settleBehind(gate);
    },
    open,
    isFull: (gate) => full.has(gate),
    openAll: () => [...full].forEach(open),
    openUnless: (isStillFull) => [...full].filter((gate) => !isStillFull(gate)).forEach(open),
    openHeldElsewhere: () => [...heldElsewhere].forEach(open),
    isAnyHeldElsewhere: () => heldElsewhere.size > 0,
    isAnyLimitReached: () => fullLimits.size > 0,
    pause(gates) {
      const changed = [...paused, ...gates].filter((gate) => paused.has(gate) !== gates.has(gate));
      paused = gates;
      changed.forEach(settleBehind);
    },
  };
}
