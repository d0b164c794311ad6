import type { FastifyRequest } from 'fastify';

/** Takes no body for an empty one: a hook for routes that can do without. */
export async function allowNoBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
