import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import pLimit from 'p-limit';
import { MAX_HEAP_MB, startProcess } from './process-pool.ts';

/** A start takes a core for a moment; more at once would only make all of them late. */
const MAX_STARTING = Math.max(2, availableParallelism());
/** Has to be free for one more: a worker that is killed for its memory loses all its jobs anew. */
const MIN_AVAILABLE_BYTES = 128 * 2 ** 20;
const LOOK_AGAIN_MS = 250;
/** The handler may have been written to run in the worker, with the worker's memory. */
const HEAP_MB = Math.max(MAX_HEAP_MB, Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20));

const startingLimit = pLimit(MAX_STARTING);
let lent = 0;

/**
 * Lends `work` a handler process that has run nothing else, and ends it afterwards. There may be as many as jobs that
 * run, beyond the few of the pool, as long as there is memory; rejects when none can be started.
 */
export async function withOwnProcess<T>(
  signal: AbortSignal,
  work: (child: ChildProcess) => Promise<T>,
): Promise<T> {
  const child = await startingLimit(async () => {
    await memoryForOneMore(signal);
    const started = await startProcess(signal, HEAP_MB);
    lent += 1;
    return started;
  });
  try {
    return await work(child);
  } finally {
    lent -= 1;
    child.kill('SIGKILL');
  }
}

async function memoryForOneMore(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  while (lent > 0 && process.availableMemory() < MIN_AVAILABLE_BYTES) {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}
