import type { JobType, Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import type { DispatchKey } from '../core/job/dispatch-key.ts';

/** What BullMQ is told about a job: the ledger's id, the dispatch number and the trace. Never the payload. */
export interface EngineJob extends DispatchKey {
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
  /** Tells which part of the memory that it may use is taken, from 0 to 1; 0 where memory is no bound. */
  fullness(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Hands over delivery only: attempts, delays and outcomes are the ledger's. A redelivery after a stall is always
 * allowed, as the claim decides whether it may run; locks are short so that a hint lost with its worker comes
 * back within seconds.
 */
export const ENGINE_WORKER_SETTINGS = {
  maxStalledCount: 1_000_000,
  stalledInterval: 1_500,
  lockDuration: 3_000,
  drainDelay: 5,
  runRetryDelay: 1_000,
} as const satisfies Partial<WorkerOptions>;

/** A missing key must mean "not there", so nothing is kept when it is done. */
export const ENGINE_JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/**
 * What BullMQ holds of a delivery. A delivery has one job, or several that one worker is to take together; a dispatch is
 * in one delivery only.
 */
interface DeliveryData {
  dispatches: (DispatchKey & { traceparent?: string })[];
}

/** Reads which dispatches a delivery is for; none of one that this system did not make. */
export function readDelivery(data: unknown): DispatchKey[] {
  const { dispatches } = (data ?? {}) as Partial<DeliveryData>;
  if (!Array.isArray(dispatches)) return [];
  return dispatches.filter(isDispatchKey).map(({ id, dispatchNo }) => ({ id, dispatchNo }));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_DISPATCH_NO = 2 ** 31 - 1;

function isDispatchKey(value: unknown): value is DispatchKey {
  const { id, dispatchNo } = (value ?? {}) as Partial<Record<keyof DispatchKey, unknown>>;
  if (typeof id !== 'string' || !UUID.test(id)) return false;
  return Number.isInteger(dispatchNo) && Number(dispatchNo) > 0 && Number(dispatchNo) <= MAX_DISPATCH_NO;
}

/** Adds deliveries to an engine queue, in the order given. */
export async function addToEngine(
  engine: Pick<Engine, 'queue' | 'bulkFrom'>,
  queueName: string,
  deliveries: EngineJob[][],
): Promise<void> {
  const queue = engine.queue(queueName);
  const added = deliveries.map(describeDelivery);
  if (added.length >= engine.bulkFrom) await queue.addBulk(added);
  else for (const { name, data, opts } of added) await queue.add(name, data, opts);
}

/** It bears the name of its first job's type, and that job's id with the dispatch number: never all digits, no `:`. */
function describeDelivery(jobs: EngineJob[]) {
  const [first] = jobs;
  if (!first) throw new Error('A delivery is for one job at least.');
  const data: DeliveryData = {
    dispatches: jobs.map(({ id, dispatchNo, traceparent }) => ({
      id,
      dispatchNo,
      ...(traceparent !== null && { traceparent }),
    })),
  };
  const name = jobs.length === 1 ? first.type : `${first.type} and ${jobs.length - 1} more`;
  return { name, data, opts: { ...ENGINE_JOB_OPTIONS, jobId: keyText(first) } };
}

function keyText({ id, dispatchNo }: DispatchKey): string {
  return `${id}.${dispatchNo}`;
}

/** Waiting ones first: one that is taken between two looks is then seen among the active ones. */
const STATES_OF_WAITING = ['waiting', 'prioritized', 'delayed'] as const;

/**
 * Answers those of the jobs that the engine does not have, or no longer waits or works on. Of a job that is `overdue` it must
 * still wait: what it works on for so long without a claim hangs at a worker that is gone, under a lock that does not end.
 * BullMQ 6.7 takes the time of a lock on Postgres from the clock of the worker.
 */
export async function missingFromEngine<Dispatched extends DispatchKey & { isOverdue?: boolean }>(
  queue: Queue,
  jobs: Dispatched[],
): Promise<Dispatched[]> {
  const waiting = await dispatchesIn(queue, [...STATES_OF_WAITING]);
  const active = await dispatchesIn(queue, ['active']);
  return jobs.filter((job) => {
    const key = keyText(job);
    return !waiting.has(key) && (job.isOverdue === true || !active.has(key));
  });
}

/** Tells whether one of the jobs waits in the engine for a worker to take it. */
export async function waitingInEngine(queue: Queue, jobs: DispatchKey[]): Promise<boolean> {
  if (jobs.length === 0) return false;
  const waiting = await dispatchesIn(queue, ['waiting']);
  return jobs.some((job) => waiting.has(keyText(job)));
}

/** Reads the whole engine queue, which the window bounds. */
async function dispatchesIn(queue: Queue, states: JobType[]): Promise<Set<string>> {
  const deliveries = await queue.getJobs(states);
  return new Set(deliveries.flatMap(({ data }) => readDelivery(data).map(keyText)));
}

/** The name of the queue in which Bull Board shows the dead letters of `queue`. */
export function deadLetterQueueName(queue: string): string {
  return `${queue}-dead`;
}
