import { availableParallelism } from 'node:os';
import { createFairQueue } from '@accepted/shared/core/fairness/fair-queue';
import { Piscina } from 'piscina';
import { Problem } from '../http/problem.ts';
import type { InspectedPayload } from '../submit/inspect-payload.ts';
import type { Work } from './check-thread.ts';
import type { LargeBody, ReadLargeBody, RefusedBody } from './large-bodies.ts';
import type { LargePayload } from './large-payloads.ts';

/** What is as large takes too long to be read or checked where everybody waits for it; below, it is quicker than a thread. */
export const LARGE_BYTES = 16 * 1024;

/** A megabyte takes a tenth of a second on a slow machine. What takes this long does so by a schema that takes forever. */
const MAX_WORK_MS = 2_000;
/** What a thread has taken of memory is given back when nobody has needed it for so long. */
const IDLE_MS = 5_000;
/** A megabyte of JSON becomes some dozens of objects; what is garbage need not be kept beyond that. */
const MAX_HEAP_MB = 256;
const MAX_THREADS = 4;
/** Of what is done for all: no tenant has such an id. */
const NO_TENANT = '';

/** Does in threads what would hold up everybody: tenant by tenant, and within a bound of time. */
export interface CheckThreads {
  readBody(tenantId: string, body: LargeBody): Promise<ReadLargeBody | RefusedBody>;
  inspect(tenantId: string, payload: LargePayload): Promise<InspectedPayload>;
  /** Tells whether checks by a JSON Schema are quick (`isQuickSchema`). */
  isQuick(schema: object): Promise<boolean>;
  close(): Promise<void>;
}

/** Makes the threads; none is started before there is work for it. */
export function createCheckThreads(): CheckThreads {
  const maxThreads = Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1));
  const pool = new Piscina({
    filename: new URL('./check-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  pool.on('error', (error) => {
    // A thread is ended when its work is given up, and may run out of memory before it is gone: nobody waits for it.
    if (!isOutOfMemory(error)) throw error;
  });
  const queue = createFairQueue({ concurrency: maxThreads });

  async function work<Result>(tenantId: string, work: Work, maxMs?: number): Promise<Result> {
    const tooLong = new AbortController();
    const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    try {
      return await queue.run(tenantId, async () => {
        const stopTimer = maxMs === undefined ? undefined : abortWhenLate(tooLong, begun, maxMs);
        try {
          const options = { signal: tooLong.signal, transferList: ownMemoryOf(work) };
          return (await pool.run({ ...work, begun }, options)) as Result;
        } finally {
          stopTimer?.();
        }
      });
    } catch (error) {
      if (tooLong.signal.aborted) throw new GivenUp(`takes longer than ${MAX_WORK_MS / 1_000} s`);
      if (isOutOfMemory(error)) throw new GivenUp(`takes more than ${MAX_HEAP_MB} MB of memory`);
      throw new Problem('internal_error', { cause: error });
    }
  }

  async function inspect(tenantId: string, payload: LargePayload): Promise<InspectedPayload> {
    try {
      return await work<InspectedPayload>(tenantId, payload, payload.isQuick ? undefined : MAX_WORK_MS);
    } catch (error) {
      if (error instanceof GivenUp) return notInspected(payload, error);
      throw error;
    }
  }

  return {
    readBody: (tenantId, body) => work(tenantId, body),
    inspect,
    isQuick: (schema) => work(NO_TENANT, { schemaToJudge: schema }, MAX_WORK_MS),
    close: () => pool.destroy(),
  };
}

/** What needs not be copied for the thread: the bytes of a body are not looked at again here. */
function ownMemoryOf(work: Work): ArrayBuffer[] {
  if (!('bytes' in work)) return [];
  const { buffer, byteLength } = work.bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

/** Counts from when the thread has begun: it may have to be started first. Answers how to stop that. */
function abortWhenLate(tooLong: AbortController, begun: Int32Array, maxMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  void Promise.resolve(Atomics.waitAsync(begun, 0, 0).value).then(() => {
    if (!isOver) timer = setTimeout(() => tooLong.abort(), maxMs);
  });
  return () => {
    isOver = true;
    clearTimeout(timer);
    // Or it would be waited for without end where the thread has died.
    Atomics.notify(begun, 0);
  };
}

/** The work of a thread was given up, and the thread ended. */
class GivenUp extends Error {}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function notInspected({ json, row }: LargePayload, { message }: GivenUp): InspectedPayload {
  const detail = `To check it by the schema of ${row.type} ${message}.`;
  return { faults: [{ pointer: '/payload', detail }], refusedBy: [], json };
}
