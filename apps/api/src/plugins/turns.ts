import fp from 'fastify-plugin';
import { createTurns, type Turns } from '../connections/turns.ts';

declare module 'fastify' {
  interface FastifyInstance {
    turns: Turns;
  }
}

/** As long as a request may wait for another one. */
const SLICE = { ms: 5, count: 32 };

/**
 * Has the requests of a tenant, and those without a key of an address, take turns with those of others. Comes before the
 * checks of a body that was read: those, and the handler, are what costs.
 */
export const turns = fp(async (app) => {
  app.decorate('turns', createTurns(SLICE));
  app.addHook('preValidation', (request, _reply, done) => {
    // Undefined where no key is needed.
    const tenantId = request.caller?.tenantId as string | undefined;
    request.server.turns.take(tenantId ?? request.ip, () => done());
  });
});
