import { hostname } from 'node:os';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { beat, leaveServices } from '@accepted/shared/ledger/workers/beat';
import { markDraining, registerWorker, removeWorker } from '@accepted/shared/ledger/workers/workers';
import type { Logger } from 'pino';
import { startLoop } from '../loop.ts';
import { SERVICE_LEASE_MS, type ServiceLeases } from '../service-leases.ts';
import type { Rest } from './rest.ts';

/** The lease that this process holds on all the jobs it runs. */
export interface Lease {
  /** The worker id to claim under; none from the loss of a lease until the next one is held under a new id. */
  workerId(): string | undefined;
  /** As of the last heartbeat; before the first one, to be careful, there are. */
  hasSeveralTenants(): boolean;
  /** Takes over at once what services of the installation nobody runs. */
  lookForServices(): void;
  /** Leaves the services to others; this worker takes none any more. */
  leaveServices(): Promise<void>;
  /** Tells the dispatchers to count on this worker no more. */
  drain(): Promise<void>;
  /** Ends the lease; the caller has no running jobs any more. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** A connection that nothing else uses: work that fills the others must not cost the lease of all jobs. */
  db: Database;
  queues: string[];
  concurrency: number;
  slotsByQueue: Record<string, number>;
  buildId: string;
  heartbeatMs: number;
  finishedPerSecond: () => Record<string, number>;
  slowTypes: () => string[];
  isEngineUp: () => boolean;
  engineFullness: () => number | undefined;
  services: Pick<ServiceLeases, 'wanted' | 'beaten' | 'holdsAny'>;
  rest: Pick<Rest, 'isOn' | 'tell' | 'hear'>;
  /** The jobs that run under the old worker id belong to others now. */
  onLost: () => void;
  logger: Logger;
}

/** Whoever runs services says so this often: three beats in one lease of a service. */
const RENEW_MS = 1_000;
/** A lease has ended by then, by the clock of Postgres as well. */
const AFTER_END_MS = 10;

/** Registers this process as a worker and keeps its heartbeat going; resolves once the first lease is held. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { db, services, rest, heartbeatMs, logger } = options;
  let workerId: string | undefined = await register(options);
  let takesServices = true;
  let hasSeveralTenants = true;

  async function runOnce(): Promise<number> {
    const sentAtMs = performance.now();
    const brought = workerId === undefined ? undefined : await beatOnce(workerId);
    services.beaten((takesServices && brought?.held) || [], sentAtMs);
    hasSeveralTenants = brought?.hasSeveralTenants ?? hasSeveralTenants;
    if (brought && !brought.isAlive) {
      logger.error({ workerId }, 'the lease was lost: running jobs are given up and this worker starts anew');
      workerId = undefined;
      options.onLost();
    }
    workerId ??= await register(options);
    if (brought) await rest.hear(brought, workerId);
    const othersEndInMs = (brought?.othersEndInMs ?? heartbeatMs) + AFTER_END_MS;
    return Math.min(heartbeatMs, services.holdsAny() ? RENEW_MS : heartbeatMs, othersEndInMs);
  }

  const beatOnce = (id: string) =>
    beat(
      db,
      id,
      {
        heartbeatMs,
        finishedPerSecond: options.finishedPerSecond(),
        slowTypes: options.slowTypes(),
        engineUp: options.isEngineUp(),
        engineFullness: options.engineFullness(),
        ...rest.tell(),
      },
      { services: takesServices ? wantedServices() : [], leaseMs: SERVICE_LEASE_MS },
    );

  /** Where this worker is slow others do better what there is to do once. */
  const wantedServices = () =>
    services.wanted().map(({ name, isAble }) => ({ name, isAble: isAble && !rest.isOn() }));

  const loop = startLoop({
    runOnce,
    retryAfterMs: Math.min(500, heartbeatMs),
    onError: (error) => logger.warn({ err: error }, 'the heartbeat did not go through; it is tried again'),
  });
  return {
    workerId: () => workerId,
    hasSeveralTenants: () => hasSeveralTenants,
    lookForServices: loop.wake,
    async leaveServices() {
      takesServices = false;
      // What this process hears from now on it tells others.
      services.beaten([], performance.now());
      if (workerId === undefined) return;
      await leaveServices(db, workerId);
      await notify(db, CHANNELS.serviceIsFree, '');
    },
    async drain() {
      if (workerId !== undefined) await markDraining(db, workerId);
    },
    async release() {
      await loop.stop();
      if (workerId !== undefined) await removeWorker(db, workerId);
    },
  };
}

async function register({ db, queues, concurrency, slotsByQueue, buildId }: LeaseOptions): Promise<string> {
  const id = newUuid();
  const of = { queues, concurrency, slotsByQueue, buildId };
  await registerWorker(db, { id, hostname: hostname(), pid: process.pid, ...of });
  return id;
}
