import fastify from 'fastify';
import { JOB_TYPE, PAYLOAD_SCHEMA, type Payload } from '../payload.ts';
import { settings } from './settings.ts';

interface Submitted {
  type: typeof JOB_TYPE;
  payload: Payload;
}

const body = {
  type: 'object',
  required: ['type', 'payload'],
  additionalProperties: false,
  properties: { type: { const: JOB_TYPE }, payload: PAYLOAD_SCHEMA },
};

/**
 * Serves the route of every contender but Accepted: parses and checks a job, lets `accept` take it, and answers 202 with
 * its id. The server's options are those of Accepted's API.
 */
export async function serveJobs(accept: (payload: Payload) => Promise<string>): Promise<void> {
  const app = fastify({
    logger: { level: 'warn' },
    bodyLimit: 1_048_576,
    requestTimeout: 10_000,
    keepAliveTimeout: 10_000,
  });
  app.get('/readyz', () => ({ status: 'ok' }));
  app.post<{ Body: Submitted }>('/v1/jobs', { schema: { body } }, async (request, reply) => {
    const id = await accept(request.body.payload);
    return reply.code(202).header('location', `/v1/jobs/${id}`).send({ id, status: 'queued' });
  });
  await app.listen({ port: settings.PORT, host: '127.0.0.1' });
}
