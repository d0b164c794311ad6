import { hostname } from 'node:os';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { hasLiveWorker } from '@accepted/shared/ledger/workers/workers';
import { readConfig } from './config.ts';

const TIMEOUT_MS = 3_000;

/** Exits with 0 when a worker of this host holds its lease, else with 1 and a sentence: a health check to run beside it. */
async function main(): Promise<void> {
  const { DATABASE_URL, LEASE_MS } = readConfig();
  const db = openDatabase(
    {
      url: DATABASE_URL,
      applicationName: 'accepted-worker-health',
      maxConnections: 1,
      connectTimeoutMs: TIMEOUT_MS,
      statementTimeoutMs: TIMEOUT_MS,
    },
    () => undefined,
  );
  const isLive = await hasLiveWorker(db, { hostname: hostname() }, LEASE_MS);
  await db.destroy();
  if (!isLive) throw new Error(`No worker on ${hostname()} has sent a heartbeat for ${LEASE_MS} ms.`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
