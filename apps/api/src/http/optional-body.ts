import type { FastifyRequest } from 'fastify';

/** Takes no body for an empty one: a hook for routes that can do without. `null` is a body, and not a right one. */
export async function allowNoBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}
