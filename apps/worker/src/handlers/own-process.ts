import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import pLimit from 'p-limit';
import { createIdleProcesses, type IdleProcesses } from './idle-processes.ts';
import type { LendProcess } from './isolated-handler.ts';
import { MAX_HEAP_MB, startProcess } from './process-pool.ts';

/** A start takes a core for a moment; more at once would only make all of them late. */
const MAX_STARTING = Math.max(2, availableParallelism());
/** Has to be free for one more: a worker that is killed for its memory loses all its jobs anew. */
const MIN_AVAILABLE_BYTES = 128 * 2 ** 20;
const LOOK_AGAIN_MS = 250;
/** The handler may have been written to run in the worker, with the worker's memory. */
const HEAP_MB = Math.max(MAX_HEAP_MB, Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20));

/** About what a start takes: a job that ends sooner leaves its process to the next one, which then needs none. */
const MAY_COME_FREE_MS = 300;
const IDLE_MS = 5_000;

const startingLimit = pLimit(MAX_STARTING);
/** Isolated handlers have another environment, and must not see what others have left in a process. */
const idleOf = { isolated: createIdleProcesses(IDLE_MS), other: createIdleProcesses(IDLE_MS) };
let lent = 0;

interface WantedProcess {
  mustBeNew: boolean;
  /** Whether it is for a handler that is isolated anyway. */
  isIsolated: boolean;
}

/**
 * Makes what lends a process that runs nothing else at the same time. There may be as many as jobs that run, beyond the few
 * of the pool, as long as there is memory; it rejects when none can be started. With `mustBeNew` nothing has run there
 * before, so that its death is known to be the doing of what runs.
 */
export function ownProcess(wanted: WantedProcess): LendProcess {
  const idle = wanted.isIsolated ? idleOf.isolated : idleOf.other;
  return async (signal, work) => {
    const { child, isUsed } = await startingLimit(() => takeProcess(signal, wanted, idle));
    lent += 1;
    try {
      return await work(child, isUsed);
    } finally {
      lent -= 1;
      idle.put(child);
    }
  };
}

async function takeProcess(
  signal: AbortSignal,
  { mustBeNew, isIsolated }: WantedProcess,
  idle: IdleProcesses,
) {
  const used = mustBeNew ? undefined : await idle.takeSoon(lent > 0 ? MAY_COME_FREE_MS : 0, signal);
  if (used) return { child: used, isUsed: true };
  await memoryForOneMore(signal);
  return { child: await startProcess(signal, { maxHeapMb: HEAP_MB, isIsolated }), isUsed: false };
}

async function memoryForOneMore(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  while (lent > 0 && process.availableMemory() < MIN_AVAILABLE_BYTES) {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}
