import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { hasLiveWorker } from '@accepted/shared/ledger/workers/workers';
import { StartError } from './start-error.ts';
import type { Supervised } from './supervise.ts';

const DEADLINE_MS = 45_000;
const HEARTBEAT_WITHIN_MS = 10_000;
const INTERVAL_MS = 50;

/**
 * Waits until the api says that it is ready and the worker has registered its job types. The time in which one of them
 * cannot start does not count: somebody is mending it, or `signal` aborts.
 */
export async function waitUntilReady(
  url: string,
  databaseUrl: string,
  { api, worker }: { api: Supervised; worker: Supervised },
  signal: AbortSignal,
): Promise<void> {
  const db = openDatabase(
    {
      url: databaseUrl,
      applicationName: 'accepted-quickstart',
      maxConnections: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
    },
    () => undefined,
  );
  const isWorkerReady = () =>
    hasLiveWorker(db, { hostname: hostname(), pid: worker.pid() ?? 0 }, HEARTBEAT_WITHIN_MS);
  try {
    // A change of the sources starts both again, also the one that was ready while the other was not.
    do {
      await Promise.all([
        poll('The api', api, () => isApiReady(url), signal),
        poll('The worker', worker, isWorkerReady, signal),
      ]);
    } while (!(await isApiReady(url)));
  } finally {
    await db.destroy();
  }
}

async function isApiReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function poll(
  name: string,
  program: Supervised,
  isReady: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  let deadline = performance.now() + DEADLINE_MS;
  while (!(await isReady())) {
    signal.throwIfAborted();
    if (program.isFaulty()) deadline = performance.now() + DEADLINE_MS;
    if (performance.now() > deadline) {
      throw new StartError(`${name} is not ready after ${DEADLINE_MS / 1_000} s: its lines above say why`);
    }
    await setTimeout(INTERVAL_MS);
  }
}
