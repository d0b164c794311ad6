import type { FastifyReply } from 'fastify';

/** One for all: an error for each costs its stack, also where a crowd was answered. */
const OVER = new Error('the client was answered, or is gone');

/**
 * Makes a signal that aborts when the connection is gone, or the reply has left. The one of Fastify's request goes by its
 * body, which has ended before a handler runs: it does not tell that whoever sent one is gone.
 */
export function clientSignal({ raw }: FastifyReply): AbortSignal {
  const client = new AbortController();
  if (raw.closed) client.abort(OVER);
  else raw.once('close', () => client.abort(OVER));
  return client.signal;
}
