import { desiredWorkers } from '@accepted/shared/core/fairness/desired-workers';
import { waitsByReason } from '@accepted/shared/core/fairness/waits-by-reason';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { wholePage } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import type { QueueStatistics } from '../queues/queue-statistics.ts';
import { AS_FAR_AS_COUNTED } from '../queues/queue-view.ts';

const Scaling = Type.Object(
  {
    queue: Type.String({ description: 'The name of the queue.' }),
    desiredWorkers: Type.Integer({
      description:
        'How many workers start every job within `START_OBJECTIVE_MS`; 0 when there is nothing to do.',
    }),
    workers: Type.Integer({ description: 'How many there are.' }),
    backlog: Type.Integer({
      description: `Jobs that wait for a worker and nothing else: not those that are paused or limited, or wait for a slot of their key. ${AS_FAR_AS_COUNTED}`,
    }),
    oldestAgeMs: Type.Integer({
      description:
        'How long the job that has been due the longest has waited, for whatever reason; 0 when none waits.',
    }),
    drainPerSecond: Type.Number({ description: 'Jobs that the live workers finish a second.' }),
  },
  {
    title: 'Scaling',
    additionalProperties: false,
    description: 'What an autoscaler needs to know of a queue.',
  },
);

const options = needsEitherScope('metrics', 'operator', {
  summary: 'Tell how many workers each queue needs',
  description: 'Over all tenants, for autoscalers: numbers only, 0 when a queue is idle.',
  tags: ['operations'],
  querystring: Type.Object(
    {
      queue: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'Only this queue; `data` has one item then.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: answers({ 200: { description: 'One item a queue.', schema: pageOf(Scaling) } }, [
    'queue_not_found',
  ]),
});

/** `GET /v1/scaling`: what an autoscaler asks for now and then. */
export const getScaling: FastifyPluginAsyncTypebox<{ startObjectiveMs: number }> = async (
  app,
  { startObjectiveMs },
) => {
  app.get('/v1/scaling', { ...options, logLevel: 'warn' }, async ({ query }, reply) => {
    const queues = await app.readQueueStatistics();
    const asked = queues.filter(({ name }) => query.queue === undefined || name === query.queue);
    if (query.queue !== undefined && asked.length === 0) throw new Problem('queue_not_found');
    reply.header('cache-control', 'no-store');
    return wholePage(await Promise.all(asked.map((queue) => scalingOf(app, queue, startObjectiveMs))));
  });
};

async function scalingOf(app: FastifyInstance, statistics: QueueStatistics, startObjectiveMs: number) {
  const { name: queue, workers, concurrency: slots, running, queued } = statistics;
  const drainPerSecond = statistics.finishedPerSecond ?? 0;
  const { jobs: backlog, oldestAgeMs: ageMs } =
    queued === 0 ? NOTHING : await readBacklog(app, queue, workers);
  const input = { backlog, running, drainPerSecond, workers, slots, startObjectiveMs };
  return {
    queue,
    desiredWorkers: desiredWorkers({ ...input, oldestAgeMs: ageMs }),
    workers,
    backlog,
    oldestAgeMs: Math.round(statistics.oldestWaitMs ?? 0),
    drainPerSecond,
  };
}

const NOTHING = { jobs: 0, oldestAgeMs: 0 };

/** What a worker could start, or has before it in the engine; where there is none, also what waits for one that can run it. */
async function readBacklog(app: FastifyInstance, queue: string, workers: number) {
  const { lines, conditions, inDelivery } = await app.outlookOf(queue);
  return waitsByReason(lines, conditions)
    .filter(({ reason }) => reason === 'position' || (workers === 0 && reason === 'no_worker'))
    .reduce(
      (sum, { jobs, oldestAgeMs }) => ({
        jobs: sum.jobs + jobs,
        oldestAgeMs: Math.max(sum.oldestAgeMs, oldestAgeMs),
      }),
      { jobs: inDelivery, oldestAgeMs: 0 },
    );
}
