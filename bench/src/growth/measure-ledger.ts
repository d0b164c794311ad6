import { setTimeout as pause } from 'node:timers/promises';
import { publicId } from '@accepted/shared/core/job/id';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { Client } from 'undici';
import { runClosedLoop, runOpenLoop, runPickUps } from '../load/run-load.ts';
import { percentile } from '../statistics/spread.ts';
import { steadyRate, watchDrain } from '../world/drain.ts';
import { countHeld, idOfNow, listFinishedAfter, someJobIds } from './fill-ledger.ts';
import type { GrowthFigures } from './growth-part.ts';
import type { LedgerWorld } from './ledger-world.ts';

/** How much is measured of a ledger in a round. */
export interface LedgerMeasures {
  acceptSeconds: number;
  /** Jobs that a worker takes off the backlog, which is filled up by as many before. */
  workerJobs: number;
  latencySeconds: number;
  pickUps: number;
  reads: number;
}

const CONNECTIONS = 64;
const PAYLOAD_BYTES = 200;
const WARM_UP_SECONDS = 1;
const LATENCY_PER_SECOND = 100;
const PICK_UP_SECONDS = 20;
const DRAIN_TIMEOUT_MS = 120_000;

/** Takes all figures of a ledger once. What it adds to the ledger is finished afterwards, and its backlog as large as before. */
export async function measureLedger(world: LedgerWorld, measures: LedgerMeasures): Promise<GrowthFigures> {
  return {
    ...(await measureAccept(world, measures)),
    ...(await measureIdleWorker(world, measures)),
    ...(await measureWorker(world, measures)),
    ...(await measureReads(world, measures)),
  };
}

function targetOf({ api }: LedgerWorld) {
  return { url: api.url, headers: api.headers, payloadBytes: PAYLOAD_BYTES, connections: CONNECTIONS };
}

async function measureAccept(world: LedgerWorld, { acceptSeconds }: LedgerMeasures) {
  await runClosedLoop({ ...targetOf(world), seconds: WARM_UP_SECONDS });
  const { acceptedPerSecond, p99Ms } = await runClosedLoop({ ...targetOf(world), seconds: acceptSeconds });
  return { acceptPerSecond: acceptedPerSecond, acceptP99Ms: p99Ms };
}

/** The worker first finishes what was accepted, then has nothing to do but these jobs. */
async function measureIdleWorker(world: LedgerWorld, { latencySeconds, pickUps }: LedgerMeasures) {
  const { stores, contender } = world;
  await using worker = await contender.startWorker(stores);
  await watchDrain(world, DRAIN_TIMEOUT_MS);
  const limits = { count: pickUps, seconds: PICK_UP_SECONDS, folder: stores.folder };
  const picked = await runPickUps({ ...targetOf(world), ...limits });
  const latencies = await measureLatency(world, latencySeconds);
  await stopInOrder(worker);
  return {
    pickUpP50Ms: picked.p50Ms,
    pickUpP99Ms: picked.p99Ms,
    latencyP50Ms: percentile(latencies, 0.5),
    latencyP99Ms: percentile(latencies, 0.99),
  };
}

async function measureLatency(world: LedgerWorld, seconds: number): Promise<number[]> {
  const { postgres } = world.stores;
  const before = await idOfNow(postgres);
  const { startedAt } = await runOpenLoop({ ...targetOf(world), perSecond: LATENCY_PER_SECOND, seconds });
  await watchDrain(world, DRAIN_TIMEOUT_MS);
  const outcomes = await listFinishedAfter(postgres, before);
  return outcomes.map(({ n, at }) => at - (startedAt + (n / LATENCY_PER_SECOND) * 1_000));
}

async function measureWorker(world: LedgerWorld, { workerJobs }: LedgerMeasures) {
  const { stores, size } = world;
  await world.addBacklog(size.backlog + workerJobs - (await countHeld(stores.postgres)));
  const contender = await world.takingBacklog(workerJobs);
  await using worker = await contender.startWorker(stores);
  const seen = await watchDrain({ contender, stores }, DRAIN_TIMEOUT_MS);
  await stopInOrder(worker);
  return { workerPerSecond: steadyRate(seen) };
}

/** What it was working on is given back, so that nothing is rescued while others are measured. */
async function stopInOrder(worker: SpawnedProcess): Promise<void> {
  worker.kill('SIGTERM');
  await worker.exited;
}

async function measureReads(world: LedgerWorld, { reads }: LedgerMeasures) {
  const { origin, pathname } = new URL(world.api.url);
  const client = new Client(origin);
  const ids = await someJobIds(world.stores.postgres, reads);
  const { authorization = '' } = world.api.headers;
  const time = async (path: string): Promise<number> => {
    const startedAt = performance.now();
    const { statusCode, body } = await client.request({ path, method: 'GET', headers: { authorization } });
    await body.text();
    if (statusCode !== 200) throw new Error(`GET ${path} was answered with ${statusCode}.`);
    return performance.now() - startedAt;
  };
  try {
    const read: number[] = [];
    const list: number[] = [];
    for (const id of ids) {
      read.push(await time(`${pathname}/${publicId('job', id)}`));
      list.push(await time(`${pathname}?limit=20`));
      await pause(1);
    }
    return {
      readP50Ms: percentile(read, 0.5),
      readP99Ms: percentile(read, 0.99),
      listP50Ms: percentile(list, 0.5),
      listP99Ms: percentile(list, 0.99),
    };
  } finally {
    await client.close();
  }
}
