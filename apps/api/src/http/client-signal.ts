import type { FastifyReply } from 'fastify';

/**
 * Makes a signal that aborts when the connection is gone, or the reply has left. The one of Fastify's request goes by its
 * body, which has ended before a handler runs: it does not tell that whoever sent one is gone.
 */
export function clientSignal({ raw }: FastifyReply): AbortSignal {
  const client = new AbortController();
  if (raw.closed) client.abort();
  else raw.once('close', () => client.abort());
  return client.signal;
}
