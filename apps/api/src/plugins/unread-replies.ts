import { Socket } from 'node:net';
import fp from 'fastify-plugin';
import { createUnreadReplies } from '../connections/unread-replies.ts';

const STALLED_MS = 10_000;
const MAX_UNREAD_BYTES = 64 * 2 ** 20;

/** Bounds what a client can have this process keep by not reading its replies: their time, and their bytes in all. */
export const unreadReplies = fp(async (app) => {
  const unread = createUnreadReplies({ stalledMs: STALLED_MS, maxBytes: MAX_UNREAD_BYTES });
  app.addHook('onSend', (request, reply, payload, done) => {
    const { socket } = request.raw;
    // Requests that a test injects have none.
    if (socket instanceof Socket) reply.raw.once('close', unread.add(socket, sizeOf(payload)));
    done();
  });
});

/** A stream holds only what has been read of it. */
function sizeOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
}
