import { setTimeout as pause } from 'node:timers/promises';
import { addInBulk } from '../contenders/naive-bullmq/add-in-bulk.ts';
import { openLedgerWorld, startBacklogWorker } from '../growth/ledger-world.ts';
import type { Servers } from '../world/servers.ts';
import { openStores, type Stores } from '../world/stores.ts';
import { redisMemoryBytes } from './server-counters.ts';

/** What Redis takes while so many jobs wait, in bytes. */
export interface BacklogMemory {
  backlog: number;
  /** Accepted, while a worker works the backlog off: the most that was seen. */
  acceptedWorkingBytes: number;
  /** Accepted, after that worker was stopped. */
  acceptedStoppedBytes: number;
  /** The same jobs in BullMQ, without a worker. */
  naiveBytes: number;
}

const PAYLOAD_BYTES = 200;
const WORKING_MS = 3_000;
const SAMPLE_EVERY_MS = 50;

/** Measures the memory of Redis for each backlog in turn, in stores of its own. */
export async function measureRedisMemory(
  servers: Servers,
  backlogs: readonly number[],
  onProgress: (line: string) => void,
): Promise<BacklogMemory[]> {
  const measured: BacklogMemory[] = [];
  for (const backlog of backlogs) {
    onProgress(`memory of Redis while ${backlog} jobs wait`);
    const naiveBytes = await measureNaive(servers, backlog);
    measured.push({ backlog, naiveBytes, ...(await measureAccepted(servers, backlog, onProgress)) });
  }
  return measured;
}

async function measureNaive(servers: Servers, backlog: number): Promise<number> {
  await using stores = await openStores(servers);
  await addInBulk(stores, backlog, PAYLOAD_BYTES);
  return await redisMemoryBytes(stores.redis);
}

async function measureAccepted(servers: Servers, backlog: number, onProgress: (line: string) => void) {
  await using world = await openLedgerWorld(servers, 0, onProgress);
  await world.grow({ backlog, finished: 0 });
  await using worker = await startBacklogWorker(world.stores);
  const acceptedWorkingBytes = await mostMemory(world.stores);
  worker.kill('SIGTERM');
  await worker.exited;
  return { acceptedWorkingBytes, acceptedStoppedBytes: await redisMemoryBytes(world.stores.redis) };
}

async function mostMemory({ redis }: Stores): Promise<number> {
  let most = 0;
  for (let sample = 0; sample < WORKING_MS / SAMPLE_EVERY_MS; sample += 1) {
    most = Math.max(most, await redisMemoryBytes(redis));
    await pause(SAMPLE_EVERY_MS);
  }
  return most;
}
