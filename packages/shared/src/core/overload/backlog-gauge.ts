import { createReserves } from './reserves.ts';

/** Live jobs of a queue, as they were counted at one moment, and the bounds in force; `null`: any number. */
export interface CountedQueue {
  queue: string;
  jobs: number;
  maxBacklog: number | null;
  maxBacklogPerTenant: number | null;
}

/** Live jobs of a tenant. */
export interface CountedTenant {
  tenantId: string;
  /** Over all queues but that of webhook deliveries. */
  jobs: number;
  maxBacklog: number | null;
  queues: { queue: string; jobs: number }[];
}

/** A count of backlogs. Of a tenant that is not among them nothing was asked. */
export interface CountedBacklogs {
  queues: CountedQueue[];
  tenants: CountedTenant[];
}

/** Whose job is to come, and where to. */
export interface Arrival {
  tenantId: string;
  queue: string;
  /** The more urgent the less. */
  priority: number;
}

/** Which bound a job does not fit in. */
export type FullBacklog = 'queue' | 'tenant' | 'tenant_in_queue';

export interface FullBound {
  bound: FullBacklog;
  jobs: number;
  most: number;
}

export interface Verdict {
  /** `undefined`: it fits. */
  full?: FullBound;
  /** Whether another count could say otherwise: jobs of ours may be in this one, and were counted beside it. */
  isSure: boolean;
  /** How many more would fit; infinite where nothing bounds them. */
  room: number;
  /** The names of the bounds with so little room that what others let in meanwhile may not fit beside it. */
  near: readonly string[];
}

/**
 * Knows how full queues are: by the last count, and by what this process has let in since it was begun. Jobs that are being
 * written while it is made may or may not be in it; they count in any case, so that no more come in than may, and who is refused
 * for them alone learns from the next count.
 */
export interface BacklogGauge {
  /** Whether the tenant was in the last count. */
  knows(tenantId: string): boolean;
  /** Whether each tenant may have so many jobs in a queue and no more. */
  boundsTenants(queue: string): boolean;
  judge(arrival: Arrival, nowMs: number): Verdict;
  /** Notes that a job came: for what is urgent room is kept, as much as comes of it. */
  note(arrival: Arrival, nowMs: number): void;
  /** Counts a job that is let in; the answer is called when it was written, or was not. */
  admit(arrival: Arrival): () => void;
  /** Is called as a count begins; the answer takes what it found. */
  beginCount(): (counted: CountedBacklogs) => void;
}

interface Bound {
  bound: FullBacklog;
  key: string;
  counted: number;
  most: number;
}

const isNumber = (value: number | null | undefined): value is number => typeof value === 'number';

const ofQueue = ({ queue }: Arrival) => `queue ${queue}`;
const ofTenant = ({ tenantId }: Arrival) => `tenant ${tenantId}`;
const ofTenantInQueue = ({ tenantId, queue }: Arrival) => `both ${tenantId} ${queue}`;

/** With less in it nobody asks how much of what is urgent came. */
const NOTED_PART = 1 / 4;
/** With more room than this there is enough for all that comes until others are known to have taken some. */
const NEAR_ROOM = 1_000;
const NONE: readonly string[] = [];
/** With less in it there is room for what is urgent in any case. */
const NEAR_PART = 1 / 2;

export function createBacklogGauge(): BacklogGauge {
  let queues = new Map<string, CountedQueue>();
  let tenants = new Map<string, CountedTenant>();
  /** Being written. */
  const pending = createTally();
  /** Let in since the last count began, or being written then. */
  let since = createTally();
  /** The same for the count that is being made. */
  let sinceNext: Tally | undefined;
  const reserves = createReserves();

  /** Those that are in force. */
  function boundsOf(arrival: Arrival): Bound[] {
    const queue = queues.get(arrival.queue);
    const tenant = tenants.get(arrival.tenantId);
    const bounds: Bound[] = [];
    const add = (bound: FullBacklog, key: string, counted: number, most: number) =>
      bounds.push({ bound, key, counted, most });
    if (isNumber(tenant?.maxBacklog)) add('tenant', ofTenant(arrival), tenant?.jobs ?? 0, tenant.maxBacklog);
    if (isNumber(queue?.maxBacklogPerTenant)) {
      const inQueue = tenant?.queues.find((one) => one.queue === arrival.queue)?.jobs ?? 0;
      add('tenant_in_queue', ofTenantInQueue(arrival), inQueue, queue.maxBacklogPerTenant);
    }
    if (isNumber(queue?.maxBacklog)) add('queue', ofQueue(arrival), queue.jobs, queue.maxBacklog);
    return bounds;
  }

  /** What it is counted for: of a tenant that nobody has counted nothing needs to be known. */
  function keysOf(arrival: Arrival): string[] {
    if (!tenants.has(arrival.tenantId)) return [ofQueue(arrival)];
    return [ofQueue(arrival), ofTenant(arrival), ofTenantInQueue(arrival)];
  }

  function judge(arrival: Arrival, nowMs: number): Verdict {
    let room = Number.POSITIVE_INFINITY;
    let near = NONE;
    for (const { bound, key, counted, most } of boundsOf(arrival)) {
      const jobs = counted + since.of(key);
      const isNear = jobs >= most * NEAR_PART;
      const open = most - (isNear ? reserves.keptFrom(key, arrival.priority, most, nowMs) : 0);
      if (jobs >= open) return { full: { bound, jobs, most }, isSure: counted >= open, room: 0, near };
      room = Math.min(room, open - jobs);
      if (most - jobs <= NEAR_ROOM) near = [...near, key];
    }
    return { isSure: true, room, near };
  }

  return {
    judge,
    note(arrival, nowMs) {
      for (const { key, counted, most } of boundsOf(arrival))
        if (counted + since.of(key) >= most * NOTED_PART) reserves.came(key, arrival.priority, nowMs);
    },
    knows: (tenantId) => tenants.has(tenantId),
    boundsTenants: (queue) => typeof queues.get(queue)?.maxBacklogPerTenant === 'number',
    admit(arrival) {
      const keys = keysOf(arrival);
      for (const tally of [pending, since, sinceNext]) tally?.add(keys, 1);
      return () => pending.add(keys, -1);
    },
    beginCount() {
      sinceNext = pending.copy();
      const next = sinceNext;
      return (counted) => {
        queues = new Map(counted.queues.map((one) => [one.queue, one]));
        tenants = new Map(counted.tenants.map((one) => [one.tenantId, one]));
        since = next;
        sinceNext = undefined;
      };
    },
  };
}

interface Tally {
  add(keys: readonly string[], jobs: number): void;
  of(key: string): number;
  copy(): Tally;
}

function createTally(counts = new Map<string, number>()): Tally {
  return {
    add(keys, jobs) {
      for (const key of keys) {
        const sum = (counts.get(key) ?? 0) + jobs;
        if (sum === 0) counts.delete(key);
        else counts.set(key, sum);
      }
    },
    of: (key) => counts.get(key) ?? 0,
    copy: () => createTally(new Map(counts)),
  };
}
