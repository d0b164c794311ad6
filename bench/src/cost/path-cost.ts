import type { Stores } from '../world/stores.ts';
import type { RelayedStores } from './relayed-stores.ts';
import { readServerCounters } from './server-counters.ts';

/** What a job costs on its way from its POST to its committed outcome; or a second of doing nothing. */
export interface PathCost {
  /** Between the API, or the workers, and PostgreSQL. */
  apiStatements: number;
  apiRoundTrips: number;
  workerStatements: number;
  workerRoundTrips: number;
  /** Commands that the API, or the workers, sent to Redis; a script is one. */
  apiRedisRequests: number;
  apiRedisRoundTrips: number;
  workerRedisRequests: number;
  workerRedisRoundTrips: number;
  /** Commands that Redis carried out, those inside scripts too. */
  redisCommands: number;
  /** Bytes that PostgreSQL wrote to its log. */
  walBytes: number;
}

/** Where the counters of a contender's processes are. */
export interface CountedWorld {
  stores: Stores;
  apiSide: RelayedStores;
  workerSide: RelayedStores;
}

/** Answers what `work` cost in all. */
export async function costOf(world: CountedWorld, work: () => Promise<void>): Promise<PathCost> {
  const before = await readCost(world);
  await work();
  const after = await readCost(world);
  return combine(after, before, (later, earlier) => later - earlier);
}

/** Spreads a cost over jobs or seconds. */
export function costPer(cost: PathCost, pieces: number): PathCost {
  return combine(cost, cost, (total) => total / pieces);
}

/** Takes off what the system would have done anyway. Rounding of the clock may leave a little less than nothing. */
export function withoutIdle(cost: PathCost, idlePerSecond: PathCost, seconds: number): PathCost {
  return combine(cost, idlePerSecond, (all, idle) => Math.max(0, all - idle * seconds));
}

async function readCost({ stores, apiSide, workerSide }: CountedWorld): Promise<PathCost> {
  const { walBytes, redisCommands } = await readServerCounters(stores);
  const [api, worker] = [apiSide.read(), workerSide.read()];
  return {
    apiStatements: api.postgres.commands,
    apiRoundTrips: api.postgres.roundTrips,
    workerStatements: worker.postgres.commands,
    workerRoundTrips: worker.postgres.roundTrips,
    apiRedisRequests: api.redis.commands,
    apiRedisRoundTrips: api.redis.roundTrips,
    workerRedisRequests: worker.redis.commands,
    workerRedisRoundTrips: worker.redis.roundTrips,
    redisCommands,
    walBytes,
  };
}

function combine(one: PathCost, other: PathCost, by: (one: number, other: number) => number): PathCost {
  const keys = Object.keys(one) as (keyof PathCost)[];
  return Object.fromEntries(keys.map((key) => [key, by(one[key], other[key])])) as unknown as PathCost;
}
