import fp from 'fastify-plugin';
import type { Clients } from '../connections/clients.ts';
import type { Turns } from '../connections/turns.ts';

declare module 'fastify' {
  interface FastifyInstance {
    turns: Turns;
    clients: Clients;
  }
}

/** Hands on what the server has requests take turns by: those who are woken all at once take turns as well. */
export const turns = fp<{ turns: Turns; clients: Clients }>(async (app, options) => {
  app.decorate('turns', options.turns);
  app.decorate('clients', options.clients);
});
