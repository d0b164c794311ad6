import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../../config.ts';
import type { Loop } from '../loop.ts';
import type { ServiceLeases } from '../service-leases.ts';
import { startBacklogs } from './backlogs.ts';
import { startExpirer } from './expirer.ts';
import { startLaneRemover } from './lane-remover.ts';
import { startPruner } from './pruner.ts';

/** Starts what keeps order: jobs that nobody started in time end, those and the builds of long ago leave, and live ones are counted. */
export function startMaintenance(options: {
  db: Database;
  engine: Engine;
  config: Pick<WorkerConfig, 'RETENTION_DAYS'>;
  services: Pick<ServiceLeases, 'one'>;
  onExpired: (jobId: string) => void;
  logger: Logger;
  onError: (error: unknown) => void;
}): Pick<Loop, 'stop'>[] {
  const { services, config } = options;
  const retentionDays = config.RETENTION_DAYS;
  return [
    startExpirer({ ...options, service: services.one('expirer') }),
    startPruner({ ...options, service: services.one('pruner'), retentionDays }),
    startLaneRemover({ ...options, service: services.one('lane remover'), retentionDays }),
    startBacklogs({ ...options, service: services.one('backlogs') }),
  ];
}
