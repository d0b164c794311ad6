import { shareConnections } from '@accepted/shared/ledger/connection/as-tenant';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    db: Database;
  }
}

export interface ShareBounds {
  /** The part of the connections that reads and changes of tenants take turns at; jobs are accepted on the others. */
  share: number;
  /** How long a tenant may wait for its turn. */
  maxWaitMs: number;
}

export interface DatabaseOptions {
  db: Database;
  /** Connections that `db` holds at most. */
  poolSize: number;
  tenantConnections: ShareBounds;
}

/** Puts the ledger at the routes' disposal, tenant by tenant. Whoever opened it ends it, after the app is closed. */
export const database = fp<DatabaseOptions>(async (app, { db, poolSize, tenantConnections }) => {
  const { share, maxWaitMs } = tenantConnections;
  shareConnections(db, Math.ceil(poolSize * share), maxWaitMs);
  app.decorate('db', db);
});
