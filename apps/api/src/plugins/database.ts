import type { Database } from '@accepted/shared/ledger/connection/connect';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    db: Database;
  }
}

/** Puts the ledger at the routes' disposal. Whoever opened it ends it, after the app is closed. */
export const database = fp<{ db: Database }>(async (app, { db }) => {
  app.decorate('db', db);
});
