import { waitUntil } from '@accepted/testing/wait-until';
import { acceptedRedis, startAcceptedApi } from '../contenders/accepted/accepted.ts';
import type { Api } from '../contenders/contender.ts';
import { limit } from '../contenders/limit/limit.ts';
import { measureContenderCost } from '../cost/measure-cost.ts';
import { runClosedLoop } from '../load/run-load.ts';
import { spreadOf } from '../statistics/spread.ts';
import type { Servers } from '../world/servers.ts';
import { openStores, type Stores } from '../world/stores.ts';
import type { SmokeFigures } from './budgets.ts';

const COST_SIZE = { jobsAlone: 60, jobsUnderLoad: 2_000 };
const ROUNDS = 3;
const LOAD = { connections: 64, seconds: 2, payloadBytes: 200 };
const PRINT_ALLOCATIONS = new URL('print-allocations.ts', import.meta.url).href;

/** Takes the figures of a smoke run: what is counted first, then what is timed. */
export async function measureSmoke(servers: Servers): Promise<SmokeFigures> {
  const { alone, underLoad } = await measureContenderCost(servers, acceptedRedis, COST_SIZE);
  return {
    acceptStatements: alone.apiStatements,
    acceptRoundTrips: alone.apiRoundTrips,
    workStatements: alone.workerStatements,
    workRoundTrips: alone.workerRoundTrips,
    acceptStatementsUnderLoad: underLoad.apiStatements,
    workStatementsUnderLoad: underLoad.workerStatements,
    acceptRedisRequests: alone.apiRedisRequests,
    redisRoundTrips: alone.workerRedisRoundTrips,
    redisRoundTripsUnderLoad: underLoad.workerRedisRoundTrips,
    ...(await measureAccepts(servers)),
  };
}

async function measureAccepts(
  servers: Servers,
): Promise<Pick<SmokeFigures, 'acceptShareOfLimit' | 'acceptAllocatedKb'>> {
  await using stores = await openStores(servers);
  await acceptedRedis.prepare(stores);
  const acceptShareOfLimit = await compareWithLimit(stores);
  return { acceptShareOfLimit, acceptAllocatedKb: await measureAllocations(stores) };
}

/** Alternates between the two, so that what slows the machine slows both; the first turn of each is a warm-up. */
async function compareWithLimit(stores: Stores): Promise<number> {
  const [limited, accepting] = [await limit.startApi(stores), await acceptedRedis.startApi(stores)];
  await using _limited = limited.process;
  await using _accepting = accepting.process;
  const shares: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const ceiling = await acceptedPerSecond(limited);
    shares.push((await acceptedPerSecond(accepting)) / ceiling);
  }
  return spreadOf(shares.slice(1)).median;
}

async function acceptedPerSecond({ url, headers }: Api): Promise<number> {
  return (await runClosedLoop({ url, headers, ...LOAD })).acceptedPerSecond;
}

async function measureAllocations(stores: Stores): Promise<number> {
  const api = await startAcceptedApi(stores, { NODE_OPTIONS: `--import=${PRINT_ALLOCATIONS}` });
  await using process = api.process;
  const { url, headers } = api;
  const readAllocated = async () => {
    const printed = () => process.lines.filter((line) => line.startsWith('allocated '));
    const before = printed().length;
    process.kill('SIGCONT');
    await waitUntil(() => printed().length > before, { until: 'the API has told what it allocated' });
    return Number(printed().at(-1)?.slice('allocated '.length));
  };
  await runClosedLoop({ url, headers, ...LOAD });
  await readAllocated();
  const { accepted } = await runClosedLoop({ url, headers, ...LOAD });
  return (await readAllocated()) / 1_000 / accepted;
}
