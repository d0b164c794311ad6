import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../../config.ts';
import type { Loop } from '../loop.ts';
import type { Lease } from '../rescue/lease.ts';
import { startExpirer } from './expirer.ts';
import { startLaneRemover } from './lane-remover.ts';
import { startPruner } from './pruner.ts';

/** Starts what keeps order: jobs that nobody started in time end, and those and the builds of long ago leave. */
export function startMaintenance(options: {
  db: Database;
  engine: Engine;
  config: Pick<WorkerConfig, 'RETENTION_DAYS'>;
  lease: Pick<Lease, 'workerId'>;
  onExpired: (jobId: string) => void;
  logger: Logger;
  onError: (error: unknown) => void;
}): Pick<Loop, 'stop'>[] {
  const { config, lease } = options;
  return [
    startExpirer(options),
    startPruner({ ...options, workerId: lease.workerId, retentionDays: config.RETENTION_DAYS }),
    startLaneRemover({ ...options, workerId: lease.workerId, retentionDays: config.RETENTION_DAYS }),
  ];
}
