import { shareConnections } from '@accepted/shared/ledger/connection/as-tenant';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { divide, type Group } from '../pools/pool-sizes.ts';
import type { Pools } from '../pools/pools.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** For what reads and changes the ledger: the connections of tenants, unless the scope has said `useConnections`. */
    db: Database;
    pools: Pools;
  }
}

export interface TurnBounds {
  /** How long a tenant may wait for its turn at a connection. */
  maxWaitMs: number;
}

export interface DatabaseOptions {
  pools: Pools;
  /** How many connections `pools` were opened with. */
  connections: number;
  tenantConnections: TurnBounds;
}

/** Puts the ledger at the routes' disposal, tenant by tenant. Whoever opened it ends it, after the app is closed. */
export const database = fp<DatabaseOptions>(async (app, { pools, connections, tenantConnections }) => {
  const { submit, read, admin } = divide(connections);
  const { maxWaitMs } = tenantConnections;
  const onWaited = app.doors.byName.other.noteWait;
  // The last one is for what is done for all, such as to look whether jobs are finished that somebody waits for.
  shareConnections(pools.read, { connections: Math.max(1, read - 1), maxWaitMs, onWaited });
  shareConnections(pools.admin, { connections: Math.max(1, admin - 1), maxWaitMs });
  // What looks for jobs of earlier requests leaves the others to new ones.
  shareConnections(pools.submit, { connections: Math.max(1, Math.floor(submit / 2)), maxWaitMs });
  app.decorate('db', pools.read);
  app.decorate('pools', pools);
});

/** Has all that is registered in this scope use the connections of a group. */
export function useConnections(scope: FastifyInstance, group: Group): void {
  scope.decorate('db', scope.pools[group]);
}
