import fp from 'fastify-plugin';

/** Whether new requests should come here at all. */
export interface Readiness {
  accepting: boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    readiness: Readiness;
  }
}

/** Lets `main.ts` tell load balancers to look elsewhere before it closes the server. */
export const readiness = fp(async (app) => {
  app.decorate('readiness', { accepting: true });
  app.addHook('preClose', async () => {
    app.readiness.accepting = false;
  });
  // A request that is answered while the server closes would leave its connection open for the keep-alive time, and
  // the server would wait for that.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!app.readiness.accepting) reply.header('connection', 'close');
    done();
  });
});
