import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../../config.ts';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import type { Claimer } from '../../path/claimer.ts';
import type { Recorder } from '../../path/recorder.ts';
import type { RunningAttempts } from '../../path/running-attempts.ts';
import type { Loop } from '../loop.ts';
import type { ServiceLeases } from '../service-leases.ts';
import type { Lease } from './lease.ts';
import { type OwnJobsCheck, startOwnJobsCheck } from './own-jobs.ts';
import { startRescuer } from './rescuer.ts';

/** Starts what takes up jobs that nobody runs: those of lost workers, and those that got lost in this one. */
export function startRescue(options: {
  db: Database;
  config: Pick<WorkerConfig, 'LEASE_MS' | 'HEARTBEAT_MS' | 'MAX_LOSSES'>;
  lease: Lease;
  services: Pick<ServiceLeases, 'one'>;
  running: RunningAttempts;
  claimer: Claimer;
  recorder: Recorder;
  versions: Record<string, string>;
  queueHasWork: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): { ownJobs: OwnJobsCheck; loops: Loop[] } {
  const { LEASE_MS: leaseMs, HEARTBEAT_MS: heartbeatMs, MAX_LOSSES: maxLosses } = options.config;
  const ownJobs = startOwnJobsCheck({ ...options, heartbeatMs });
  const service = options.services.one('rescuer');
  const rescuer = startRescuer({ ...options, service, leaseMs, heartbeatMs, maxLosses });
  return { ownJobs, loops: [ownJobs, rescuer] };
}
