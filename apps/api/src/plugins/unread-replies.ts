import { Socket } from 'node:net';
import fp from 'fastify-plugin';
import { createUnreadReplies, type UnreadBounds } from '../connections/unread-replies.ts';

/** Bounds what a client can have this process keep by not reading its replies: their time, and their bytes in all. */
export const unreadReplies = fp<UnreadBounds>(async (app, bounds) => {
  const unread = createUnreadReplies(bounds);
  app.addHook('onSend', (request, reply, payload, done) => {
    const { socket } = request.raw;
    // Requests that a test injects have none.
    if (socket instanceof Socket) {
      const bytes = sizeOf(payload);
      if (bytes === undefined) unread.addStream(socket);
      else reply.raw.once('close', unread.add(socket, bytes));
    }
    done();
  });
});

/** A stream holds only what has been read of it. */
function sizeOf(payload: unknown): number | undefined {
  if (payload === undefined || payload === null) return 0;
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : undefined;
}
