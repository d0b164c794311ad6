import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from './child-environment.ts';
import { childPermissions } from './child-permissions.ts';
import { createIdleProcesses } from './idle-processes.ts';

/** A handler that outgrows this heap ends its process, not the worker. */
export const MAX_HEAP_MB = 512;
const MAX_PROCESSES = Math.max(2, availableParallelism());
const IDLE_MS = 60_000;
const START_MS = 30_000;
const PROGRAM = fileURLToPath(new URL('./isolated-process.ts', import.meta.url));

const idle = createIdleProcesses(IDLE_MS);
const running = new Set<ChildProcess>();
const waiting = new Set<() => void>();
let free = MAX_PROCESSES;

/**
 * Lends a handler process to `work`, which must kill it if it cannot be used again. Waits while all are lent; rejects
 * when `signal` aborts before one is there, or when none can be started.
 */
export async function withProcess<T>(
  signal: AbortSignal,
  work: (child: ChildProcess) => Promise<T>,
): Promise<T> {
  await takeSlot(signal);
  try {
    const child = idle.take() ?? (await startProcess(signal, { maxHeapMb: MAX_HEAP_MB, isIsolated: true }));
    try {
      return await work(child);
    } finally {
      idle.put(child);
    }
  } finally {
    giveSlot();
  }
}

/** Kills every handler process; a later attempt starts new ones. */
export async function closeIsolatedProcesses(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.ref();
      child.kill('SIGKILL');
      return exited;
    }),
  );
}

function takeSlot(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (free > 0) {
    free -= 1;
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      waiting.delete(proceed);
      reject(signal.reason);
    };
    const proceed = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    waiting.add(proceed);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function giveSlot(): void {
  const [proceed] = waiting;
  if (!proceed) free += 1;
  else {
    waiting.delete(proceed);
    proceed();
  }
}

/** Starts a handler process; rejects when `signal` aborts before it is ready. */
export async function startProcess(
  signal: AbortSignal,
  { maxHeapMb, isIsolated }: { maxHeapMb: number; isIsolated: boolean },
): Promise<ChildProcess> {
  const child = fork(PROGRAM, [String(process.pid)], {
    execArgv: [`--max-old-space-size=${maxHeapMb}`, ...(isIsolated ? childPermissions(process.env) : [])],
    env: childEnvironment(process.env, isIsolated),
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  // A message to a process that is gone fails; its exit tells the same.
  child.on('error', () => undefined);
  child.once('exit', () => void running.delete(child));
  try {
    await ready(child, AbortSignal.any([signal, AbortSignal.timeout(START_MS)]));
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Resolves at the first message of a process, which is `ready`. */
async function ready(child: ChildProcess, signal: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  const exited = once(child, 'exit', { signal: either }).then(() => {
    throw new Error('A handler process ended before it was ready.');
  });
  try {
    await Promise.race([once(child, 'message', { signal: either }), exited]);
  } finally {
    exited.catch(() => undefined);
    settled.abort();
  }
}
