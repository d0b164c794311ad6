import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { acceptedRedis } from '../contenders/accepted/accepted.ts';
import { runOpenLoop } from '../load/run-load.ts';
import type { Servers } from '../world/servers.ts';
import { openSession, type Session } from '../world/session.ts';
import { fitSlope, type Sample, type Slope } from './slope.ts';

/** `memory.json`: the resident memory of Accepted's processes over a run under steady load, in MB. */
export interface MemoryPart {
  minutes: number;
  jobsPerSecond: number;
  processes: ProcessMemory[];
}

export interface ProcessMemory {
  name: 'api' | 'worker';
  samples: Sample[];
  /** Of the samples after the warm-up; `null` when they are too few. */
  slope: Slope | null;
}

const JOBS_PER_SECOND = 300;
const PAYLOAD_BYTES = 200;
const SAMPLE_EVERY_MS = 2_000;
/** A young process still compiles, and fills its caches. */
const WARM_UP_SHARE = 0.3;
const KB_PER_MB = 1_024;

const run = promisify(execFile);

/** Measures over so many minutes how the memory of an API and of a worker grows. */
export async function measureMemory(
  servers: Servers,
  minutes: number,
  onProgress: (line: string) => void,
): Promise<MemoryPart> {
  onProgress(`memory: ${minutes} minutes under steady load`);
  await using session = await openSession(servers, acceptedRedis);
  await session.startWorkers(1);
  const { api, worker } = await sampleUnderLoad(session, minutes * 60);
  const processes: ProcessMemory[] = [
    { name: 'api', samples: api, slope: slopeAfterWarmUp(api) },
    { name: 'worker', samples: worker, slope: slopeAfterWarmUp(worker) },
  ];
  return { minutes, jobsPerSecond: JOBS_PER_SECOND, processes };
}

async function sampleUnderLoad({ api, workers }: Session, seconds: number) {
  const samples: Record<ProcessMemory['name'], Sample[]> = { api: [], worker: [] };
  const startedAt = performance.now();
  const sample = async () => {
    const atMs = Math.round(performance.now() - startedAt);
    samples.api.push({ atMs, value: await residentMb(api.process.pid) });
    samples.worker.push({ atMs, value: await residentMb(workers[0]?.pid ?? 0) });
  };
  // Of a process that has ended the load tells.
  const timer = setInterval(() => void sample().catch(() => undefined), SAMPLE_EVERY_MS);
  try {
    const { url, headers } = api;
    const load = { perSecond: JOBS_PER_SECOND, seconds, payloadBytes: PAYLOAD_BYTES };
    await runOpenLoop({ url, headers, ...load });
  } finally {
    clearInterval(timer);
  }
  return samples;
}

async function residentMb(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / KB_PER_MB;
}

function slopeAfterWarmUp(samples: Sample[]): Slope | null {
  const lastMs = samples.at(-1)?.atMs ?? 0;
  return fitSlope(samples.filter(({ atMs }) => atMs >= lastMs * WARM_UP_SHARE)) ?? null;
}
