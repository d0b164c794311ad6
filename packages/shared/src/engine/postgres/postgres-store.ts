import { setTimeout as delay } from 'node:timers/promises';
import { type PgPool, Queue, Worker } from 'bullmq';
import pg from 'pg';
import { tellConnectionErrors } from '../../ledger/connection/connect.ts';
import { withSettings } from '../../ledger/connection/session-settings.ts';
import { SettledClient } from '../../ledger/connection/settled-client.ts';
import { type BullmqStore, WORKER_SETTINGS } from '../bullmq-store.ts';
import { createPatientBackend } from './postgres-backend.ts';

export interface PostgresStoreOptions {
  databaseUrl: string;
  onError: (error: Error) => void;
}

/** The schema that BullMQ's migrations make; a pool that we hand over must name it in its search path. */
const BULLMQ_SCHEMA = 'bullmq';

/** Each BullMQ worker keeps one connection for LISTEN; the rest serves short statements. */
const MAX_CONNECTIONS = 24;

/**
 * BullMQ 6.7 makes two temporary tables for each bulk: measured, 7 ms of Postgres' processor time beside half a
 * millisecond for a job that is added by itself.
 */
const BULK_FROM = 8;

const CLOSE_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 10_000;

/** Opens BullMQ on the ledger's own Postgres, in a schema of its own; `migrateEngine` must have run before. */
export function openPostgresStore({ databaseUrl, onError }: PostgresStoreOptions): BullmqStore {
  const pool = new pg.Pool({
    Client: SettledClient,
    query_timeout: QUERY_TIMEOUT_MS,
    connectionString: withSettings(databaseUrl, { search_path: BULLMQ_SCHEMA }),
    application_name: 'accepted-engine',
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  tellConnectionErrors(pool, onError);
  // Every BullMQ queue and worker listens here; Node takes more than ten listeners for a leak.
  pool.setMaxListeners(0);
  // BullMQ takes a pg.Pool, but describes it by an interface of its own that pg's types do not quite meet.
  const connection = pool as unknown as PgPool;
  const queues = new Map<string, Queue>();

  return {
    kind: 'postgres',
    bulkFrom: BULK_FROM,
    isReady: () => true,
    queue(name) {
      const known = queues.get(name);
      if (known) return known;
      const opened = new Queue(name, { connection }, createPatientBackend);
      opened.on('error', onError);
      queues.set(name, opened as unknown as Queue);
      return opened as unknown as Queue;
    },
    openWorker(name, processor, options) {
      const settings = { connection, ...WORKER_SETTINGS, ...options };
      const worker = new Worker(name, processor, settings, createPatientBackend);
      worker.on('error', onError);
      return worker as unknown as Worker;
    },
    // Its tables share the fate of the ledger's, so that what was committed is there.
    wasWiped: () => Promise.resolve(false),
    fullness: () => Promise.resolve(0),
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      // A BullMQ worker that is closed while it starts never gives its connection back, which `end` would wait for.
      await Promise.race([pool.end(), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
