import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { beat } from '@accepted/shared/ledger/workers/beat';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';

/** Registers a worker that says it finishes this many jobs of a queue per second. */
export async function recordWorkerRate(
  db: Database,
  queue: string,
  finishedPerSecond: number,
): Promise<void> {
  const id = newUuid();
  await registerWorker(db, {
    id,
    hostname: 'test',
    pid: 1,
    queues: [queue],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  const rates = { [queue]: finishedPerSecond };
  await beat(db, id, { heartbeatMs: 1_000, finishedPerSecond: rates, engineUp: true });
}
