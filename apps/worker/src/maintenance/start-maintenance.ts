import type { Database } from '@accepted/shared/database/connect';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config.ts';
import type { Loop } from '../loop.ts';
import { startExpirer } from './expirer.ts';
import { startPruner } from './pruner.ts';

/** Starts what keeps the ledger in order: jobs that nobody started in time end, and those of long ago leave. */
export function startMaintenance(options: {
  db: Database;
  config: Pick<WorkerConfig, 'RETENTION_DAYS'>;
  onExpired: (jobId: string) => void;
  logger: Logger;
  onError: (error: unknown) => void;
}): Loop[] {
  return [startExpirer(options), startPruner({ ...options, retentionDays: options.config.RETENTION_DAYS })];
}
