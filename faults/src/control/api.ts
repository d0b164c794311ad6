// The control's API, as a tutorial on BullMQ writes it: a route that adds to the queue. It is more careful in one
// place: the idempotency key is the job's id, which BullMQ's documentation recommends against duplicates.
import { Queue } from 'bullmq';
import fastify from 'fastify';
import { controlConfig, QUEUE } from './config.ts';

interface Submitted {
  type: string;
  payload: object;
  delayMs?: number;
  retry: { maxAttempts: number };
}

const queue = new Queue(QUEUE, { connection: { url: controlConfig.REDIS_URL } });
// Without a listener an error of the connection would end the process.
queue.on('error', () => undefined);

const app = fastify();

app.get('/livez', () => ({ status: 'ok' }));

app.post<{ Body: Submitted }>('/v1/jobs', async (request, reply) => {
  const { type, payload, delayMs, retry } = request.body;
  const job = await queue.add(type, payload, {
    jobId: String(request.headers['idempotency-key']),
    attempts: retry.maxAttempts,
    backoff: { type: 'exponential', delay: 200 },
    ...(delayMs !== undefined && { delay: delayMs }),
  });
  return reply.code(202).send({ id: job.id });
});

app.post<{ Params: { id: string } }>('/v1/jobs/:id/cancel', async (request, reply) => {
  const removed = await queue.remove(request.params.id);
  return reply.code(removed === 1 ? 200 : 409).send({});
});

await app.listen({ port: controlConfig.PORT, host: '127.0.0.1' });
