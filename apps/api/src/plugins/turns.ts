import fp from 'fastify-plugin';
import type { Clients } from '../connections/clients.ts';
import type { Doors } from '../connections/doors.ts';
import type { Turns } from '../connections/turns.ts';

declare module 'fastify' {
  interface FastifyInstance {
    turns: Turns;
    clients: Clients;
    doors: Doors;
  }
}

/** Hands on what the server lets requests in by, and turns for those who are woken all at once. */
export const turns = fp<{ turns: Turns; clients: Clients; doors: Doors }>(async (app, options) => {
  app.decorate('turns', options.turns);
  app.decorate('clients', options.clients);
  app.decorate('doors', options.doors);
  app.addHook('onClose', async () => options.doors.close());
});
