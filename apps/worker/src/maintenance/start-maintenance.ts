import type { Database } from '@accepted/shared/database/connect';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config.ts';
import type { Loop } from '../loop.ts';
import type { Lease } from '../rescue/lease.ts';
import { startExpirer } from './expirer.ts';
import { startPruner } from './pruner.ts';

/** Starts what keeps the ledger in order: jobs that nobody started in time end, and those of long ago leave. */
export function startMaintenance(options: {
  db: Database;
  config: Pick<WorkerConfig, 'RETENTION_DAYS'>;
  lease: Pick<Lease, 'workerId'>;
  onExpired: (jobId: string) => void;
  logger: Logger;
  onError: (error: unknown) => void;
}): Loop[] {
  const { config, lease } = options;
  return [
    startExpirer(options),
    startPruner({ ...options, workerId: lease.workerId, retentionDays: config.RETENTION_DAYS }),
  ];
}
