import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';

/** What BullMQ is told about a job: the ledger's id, the dispatch number and the trace. Never the payload. */
export interface EngineJob {
  id: string;
  dispatchNo: number;
  type: string;
  traceparent: string | null;
}

export type EngineProcessor = Processor<unknown, void>;

/** Settings of a BullMQ worker that the engine does not decide itself. */
export type EngineWorkerOptions = Pick<WorkerOptions, 'concurrency' | 'removeOnComplete' | 'removeOnFail'>;

/**
 * Is the delivery engine: BullMQ on Redis or on Postgres. Everything in it can be lost at any moment; the ledger
 * brings it back. Calls fail fast while the engine is away instead of waiting for it.
 */
export interface Engine {
  readonly kind: 'redis' | 'postgres';
  /** From how many jobs on it costs less to add them in bulk than one by one. */
  readonly bulkFrom: number;
  /** Tells whether calls are likely to succeed now. */
  isReady(): boolean;
  /** Opens the BullMQ queue of this name, the same one each time. */
  queue(name: string): Queue;
  /** Starts a BullMQ worker; the caller closes it. */
  openWorker(name: string, processor: EngineProcessor, options: EngineWorkerOptions): Worker;
  /**
   * Tells whether the engine was emptied since anyone last asked for this mark, and plants the mark anew: one asker
   * hears of each wipe, so every service has a mark of its own. Rejects while the engine is away.
   */
  wasWiped(mark: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Hands over delivery only: attempts, delays and outcomes are the ledger's. A redelivery after a stall is always
 * allowed, as the claim decides whether it may run; locks are short so that a hint lost with its worker comes
 * back within seconds.
 */
export const ENGINE_WORKER_SETTINGS = {
  maxStalledCount: 1_000_000,
  stalledInterval: 2_500,
  lockDuration: 5_000,
  drainDelay: 5,
  runRetryDelay: 1_000,
} as const satisfies Partial<WorkerOptions>;

/** A missing key must mean "not there", so nothing is kept when it is done. */
export const ENGINE_JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/** Builds the BullMQ job id `<job id>.<dispatch number>`: no `:`, which BullMQ forbids, and never all digits. */
export function engineJobId(job: { id: string; dispatchNo: number }): string {
  return `${job.id}.${job.dispatchNo}`;
}

/** Reads a BullMQ job id back; `undefined` for one that this system did not make. */
export function parseEngineJobId(
  engineId: string | undefined,
): { id: string; dispatchNo: number } | undefined {
  const match = /^([0-9a-f-]{36})\.(\d{1,9})$/.exec(engineId ?? '');
  if (!match?.[1]) return undefined;
  return { id: match[1], dispatchNo: Number(match[2]) };
}

/** Adds jobs to the engine's queue, in the order given. */
export async function addToEngine(
  engine: Pick<Engine, 'queue' | 'bulkFrom'>,
  queueName: string,
  jobs: EngineJob[],
): Promise<void> {
  const queue = engine.queue(queueName);
  const added = jobs.map((job) => ({
    name: job.type,
    data: job.traceparent ? { traceparent: job.traceparent } : {},
    opts: { ...ENGINE_JOB_OPTIONS, jobId: engineJobId(job) },
  }));
  if (added.length >= engine.bulkFrom) await queue.addBulk(added);
  else for (const { name, data, opts } of added) await queue.add(name, data, opts);
}

const STATES_OF_PRESENCE = new Set(['waiting', 'active', 'prioritized', 'delayed']);

/** Answers those of the jobs that the engine does not have, or no longer waits or works on. */
export async function missingFromEngine<Dispatched extends { id: string; dispatchNo: number }>(
  queue: Queue,
  jobs: Dispatched[],
): Promise<Dispatched[]> {
  const states = await Promise.all(jobs.map((job) => queue.getJobState(engineJobId(job))));
  return jobs.filter((_, index) => !STATES_OF_PRESENCE.has(states[index] ?? 'unknown'));
}

/** Tells whether one of the jobs waits in the engine for a worker to take it. */
export async function waitingInEngine(
  queue: Queue,
  jobs: { id: string; dispatchNo: number }[],
): Promise<boolean> {
  const states = await Promise.all(jobs.map((job) => queue.getJobState(engineJobId(job))));
  return states.includes('waiting');
}

/** The name of the queue in which Bull Board shows the dead letters of `queue`. */
export function deadLetterQueueName(queue: string): string {
  return `${queue}-dead`;
}
