import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Api, Contender, ContenderName } from '../contenders/contender.ts';
import { runClosedLoop, runPickUps } from '../load/run-load.ts';
import type { Servers } from '../world/servers.ts';
import { openStores } from '../world/stores.ts';
import { type CountedWorld, costOf, costPer, type PathCost, withoutIdle } from './path-cost.ts';
import { openRelayedStores } from './relayed-stores.ts';

/** `cost.json`: what a job of each contender costs. */
export interface CostPart {
  jobsAlone: number;
  jobsUnderLoad: number;
  connections: number;
  contenders: ContenderCost[];
}

export interface ContenderCost {
  name: ContenderName;
  title: string;
  /** One job at a time, with pauses between them; what the idle system does is taken off. */
  alone: PathCost;
  /** Many connections submit at once, right after a checkpoint: pages are logged whole when they are first touched. */
  afterCheckpoint: PathCost;
  /** The same again, with most of the pages logged already. */
  underLoad: PathCost;
  /** Per second instead of per job. */
  idlePerSecond: PathCost;
}

export interface CostSize {
  jobsAlone: number;
  jobsUnderLoad: number;
}

const CONNECTIONS = 64;
const PAYLOAD_BYTES = 200;
/** Until caches and pools are filled, and statements are prepared. */
const WARM_UP_JOBS = 200;
const IDLE_S = 3;
const ALONE_SECONDS = 60;
const FINISH_TIMEOUT_MS = 120_000;

/** Counts what each contender says to its servers, one contender after the other. */
export async function measureCost(
  servers: Servers,
  contenders: Contender[],
  size: CostSize,
  onProgress: (line: string) => void,
): Promise<CostPart> {
  const measured: ContenderCost[] = [];
  for (const contender of contenders.filter(({ runsJobs }) => runsJobs)) {
    onProgress(`cost: ${contender.title}`);
    measured.push(await measureContenderCost(servers, contender, size));
  }
  return { ...size, connections: CONNECTIONS, contenders: measured };
}

/** Counts what one contender says to its servers. */
export async function measureContenderCost(
  servers: Servers,
  contender: Contender,
  { jobsAlone, jobsUnderLoad }: CostSize,
): Promise<ContenderCost> {
  await using stores = await openStores(servers);
  await using apiSide = await openRelayedStores(stores);
  await using workerSide = await openRelayedStores(stores);
  await contender.prepare(stores);
  const api = await contender.startApi(apiSide.stores);
  await using _api = api.process;
  await using _worker = await contender.startWorker(workerSide.stores);
  const target = { url: api.url, headers: api.headers, payloadBytes: PAYLOAD_BYTES };
  const run = { world: { stores, apiSide, workerSide }, contender, target };

  await runTogether(run, WARM_UP_JOBS);
  const idlePerSecond = costPer(await costOf(run.world, () => pause(IDLE_S * 1_000)), IDLE_S);
  const alone = await costAlone(run, jobsAlone, idlePerSecond);
  await stores.postgres.query('CHECKPOINT');
  const afterCheckpoint = await costTogether(run, jobsUnderLoad);
  const underLoad = await costTogether(run, jobsUnderLoad);
  return { name: contender.name, title: contender.title, alone, afterCheckpoint, underLoad, idlePerSecond };
}

interface Run {
  world: CountedWorld;
  contender: Contender;
  target: Pick<Api, 'url' | 'headers'> & { payloadBytes: number };
}

async function costAlone(run: Run, jobs: number, idlePerSecond: PathCost): Promise<PathCost> {
  const { folder } = run.world.stores;
  const startedAt = performance.now();
  let submitted = 0;
  const cost = await costOf(run.world, async () => {
    const pickUps = await runPickUps({ ...run.target, count: jobs, seconds: ALONE_SECONDS, folder });
    submitted = pickUps.jobs;
    await waitUntilFinished(run);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  return costPer(withoutIdle(cost, idlePerSecond, seconds), submitted);
}

async function costTogether(run: Run, jobs: number): Promise<PathCost> {
  return costPer(await costOf(run.world, () => runTogether(run, jobs)), jobs);
}

async function runTogether(run: Run, jobs: number): Promise<void> {
  await runClosedLoop({ ...run.target, jobs, connections: CONNECTIONS });
  await waitUntilFinished(run);
}

async function waitUntilFinished({ contender, world }: Run): Promise<void> {
  await waitUntil(async () => (await contender.countUnfinished(world.stores)) === 0, {
    until: `${contender.title} has finished all jobs`,
    timeoutMs: FINISH_TIMEOUT_MS,
  });
}
