import { Socket } from 'node:net';
import fp from 'fastify-plugin';
import { createKeylessPace, type PaceBounds } from '../connections/keyless-pace.ts';

/**
 * Has what needs no key go out to each client address no faster than its pace allows. It goes by the route, not by what the
 * client shows: where nobody looks at a key, anybody could send one.
 */
export const keylessPace = fp<PaceBounds>(async (app, bounds) => {
  const pace = createKeylessPace(bounds);
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    // Requests that a test injects have none.
    if (request.routeOptions.config.scope !== undefined || !(socket instanceof Socket)) return done();
    const { ip: address } = request;
    const before = socket.bytesWritten;
    reply.raw.once('close', () => pace.sent(address, socket.bytesWritten - before));

    const beginInTime = (begin: () => void) => {
      const delayMs = pace.delayMs(address);
      if (delayMs === 0) return begin();
      app.doors.leave(reply.raw);
      // Others of the address may have been sent something meanwhile.
      const again = () => beginInTime(() => app.turns.take(app.clients.of(request.raw), done));
      // When the client has gone, nobody is left to be answered.
      setTimeout(() => !socket.destroyed && again(), delayMs);
    };
    beginInTime(done);
  });
});
