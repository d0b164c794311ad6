import type { FairOrder } from './fair-order.ts';
import { createGates, type Gates, gatesOf } from './gates.ts';
import { LinesByAge } from './lines-by-age.ts';
import { createUrgency, type Urgency } from './urgency.ts';

/** What jobs of a queue have in common that stand in one line: all of them are of one tenant, and none differs in where it may go. */
export interface LineName {
  tenantId: string;
  type: string;
  /** Ids of the schemas that refuse their payloads. */
  refusedBy: string[];
  priority: number;
  /** Whether they were never dispatched; those that were go first. */
  isNew: boolean;
  /** Whether they have concurrency keys. */
  isKeyed: boolean;
  /** The key that all of them wait for a slot of; `null`: they wait for their turn. */
  blockedBy: string | null;
}

export interface Line extends LineName {
  /** None of its jobs was put there by a transaction before this one (`xid8`). */
  placedBy: bigint;
  /** No more jobs than so many stand in it; infinite where nobody has counted them. */
  jobs: number;
}

interface Standing {
  line: Line;
  /** Of the fair order; the empty one is of lines that no lane takes. */
  group: string;
  gates: string[];
  isOpen: boolean;
}

/** What a tenant has as long as any line of it stands, open or not: who waits behind a gate has waited when that opens. */
interface TenantLines {
  /** By group, and of each group by priority and type. */
  open: Map<string, Map<string, LinesByAge>>;
  /** How many lines there are of each priority. */
  lines: Map<number, number>;
  /** How many lines there are that wait for a slot of each key. */
  blocked: Map<string, number>;
  urgency: Urgency;
}

/** The lines of a queue, by tenant, and in the fair order those that are open and have a lane to go to. */
export class QueueLines {
  /** What the lines go through. */
  readonly gates: Omit<Gates<unknown>, 'add' | 'remove' | 'areOpen'>;
  readonly #gates: Gates<Standing>;
  readonly #order: Pick<FairOrder, 'join' | 'leave'>;
  readonly #standings = new Map<string, Standing>();
  readonly #tenants = new Map<string, TenantLines>();
  #groupOf: (name: LineName) => string = () => '';

  constructor(order: Pick<FairOrder, 'join' | 'leave'>) {
    this.#order = order;
    this.#gates = createGates((standing) => this.#settle(standing));
    this.gates = this.#gates;
  }

  all(): Line[] {
    return [...this.#standings.values()].map(({ line }) => line);
  }

  /** Adds to a line, or makes it. */
  add(name: LineName, { placedBy, jobs }: Pick<Line, 'placedBy' | 'jobs'>): void {
    const standing = this.#standings.get(keyOf(name)) ?? this.#make(name);
    standing.line.jobs += jobs;
    if (placedBy < standing.line.placedBy) this.#begin(standing, placedBy);
  }

  /** Notes that so many were taken from the head of a line, the last of which was put there by `placedBy`. */
  advance(line: Line, taken: number, placedBy: bigint): void {
    line.jobs -= taken;
    const standing = this.#standings.get(keyOf(line));
    if (standing) this.#begin(standing, placedBy);
  }

  /** Notes that of the jobs which were chosen of a line so many did not go. */
  giveBack({ tenantId, priority }: LineName, jobs: number): void {
    this.#tenants.get(tenantId)?.urgency.giveBack(priority, jobs);
  }

  remove(name: LineName): void {
    const standing = this.#standings.get(keyOf(name));
    if (!standing) return;
    if (standing.isOpen) this.#leave(standing);
    this.#standings.delete(keyOf(name));
    this.#gates.remove(standing, standing.gates);
    const { lines, blocked } = this.#tenantOf(name.tenantId);
    count(lines, name.priority, -1);
    if (name.blockedBy !== null) count(blocked, name.blockedBy, -1);
    if (lines.size === 0) this.#tenants.delete(name.tenantId);
  }

  /** Removes all others. */
  keepOnly(names: readonly LineName[]): void {
    const kept = new Set(names.map(keyOf));
    for (const [key, { line }] of this.#standings) if (!kept.has(key)) this.remove(line);
  }

  /** The open lines of a tenant, by group, and its priorities' turns. */
  of(tenantId: string): { open: ReadonlyMap<string, ReadonlyMap<string, LinesByAge>>; urgency: Urgency } {
    return this.#tenantOf(tenantId);
  }

  /** Answers the keys that jobs of a tenant wait for a slot of. */
  blockedKeysOf(tenantId: string): ReadonlyMap<string, number> {
    return this.#tenants.get(tenantId)?.blocked ?? new Map();
  }

  /** Puts every line into the group that this answers. */
  regroup(groupOf: (name: LineName) => string): void {
    this.#groupOf = groupOf;
    for (const standing of this.#standings.values()) {
      const group = groupOf(standing.line);
      if (group === standing.group) continue;
      if (standing.isOpen) this.#leave(standing);
      standing.group = group;
      if (standing.isOpen) this.#join(standing);
    }
  }

  #make(name: LineName): Standing {
    const line = { ...name, placedBy: LAST, jobs: 0 };
    const standing = { line, group: this.#groupOf(name), gates: gatesOf(name), isOpen: false };
    this.#standings.set(keyOf(name), standing);
    const { lines, blocked, urgency } = this.#tenantOf(name.tenantId);
    if (!lines.has(name.priority)) urgency.begin(name.priority);
    count(lines, name.priority, 1);
    if (name.blockedBy !== null) count(blocked, name.blockedBy, 1);
    this.#gates.add(standing, standing.gates);
    this.#settle(standing);
    return standing;
  }

  #settle(standing: Standing): void {
    const isOpen = this.#gates.areOpen(standing.gates);
    if (isOpen === standing.isOpen) return;
    standing.isOpen = isOpen;
    if (isOpen) this.#join(standing);
    else this.#leave(standing);
  }

  #begin({ line, group }: Standing, placedBy: bigint): void {
    line.placedBy = placedBy;
    this.#tenantOf(line.tenantId).open.get(group)?.get(alike(line))?.move(line);
  }

  #join({ line, group }: Standing): void {
    const { open } = this.#tenantOf(line.tenantId);
    const byKind = open.get(group) ?? new Map<string, LinesByAge>();
    const lines = byKind.get(alike(line)) ?? new LinesByAge();
    lines.add(line);
    open.set(group, byKind.set(alike(line), lines));
    if (group !== '') this.#order.join(line.tenantId, group);
  }

  #leave({ line, group }: Standing): void {
    const { open } = this.#tenantOf(line.tenantId);
    const byKind = open.get(group);
    const lines = byKind?.get(alike(line));
    lines?.remove(line);
    if (lines?.size !== 0) return;
    byKind?.delete(alike(line));
    if (byKind?.size !== 0) return;
    open.delete(group);
    this.#order.leave(line.tenantId, group);
  }

  #tenantOf(tenantId: string): TenantLines {
    const known = this.#tenants.get(tenantId);
    if (known) return known;
    const tenant = { open: new Map(), lines: new Map(), blocked: new Map(), urgency: createUrgency() };
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }
}

function count<Name>(counts: Map<Name, number>, name: Name, more: number): void {
  const sum = (counts.get(name) ?? 0) + more;
  if (sum > 0) counts.set(name, sum);
  else counts.delete(name);
}

/** The same for lines of a tenant and group that differ in nothing but in age. */
const alike = ({ priority, type }: LineName) => `${priority} ${type}`;

/** Later than any transaction. */
const LAST = 2n ** 64n;

/** The same for the same line. */
export function keyOf({ tenantId, type, refusedBy, priority, isNew, isKeyed, blockedBy }: LineName): string {
  return JSON.stringify([tenantId, type, refusedBy, priority, isNew, isKeyed, blockedBy]);
}
