import { type CancelResult, cancelJob as cancelInLedger } from '@accepted/shared/database/cancel-jobs';
import { CHANNELS, notify } from '@accepted/shared/database/notifications';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { answerJob, deliveriesOf, jobNotFound, requestedJob } from './answer-job.ts';

const options = needsScope('jobs:write', {
  summary: 'Cancel a job',
  description:
    'A job that waits is canceled at once. One that runs is asked to stop: its handler decides, and may still succeed.',
  tags: ['jobs'],
  params: JobIdParameter,
  querystring: NoParameters,
  response: answers(
    {
      200: { description: 'The job was canceled before it ran.', schema: Type.Ref('Job') },
      202: { description: 'The job is running; its handler was asked to stop.', schema: Type.Ref('Job') },
    },
    ['job_not_found', 'job_already_finished'],
  ),
});

/** `POST /v1/jobs/{id}/cancel`: ends a job that waits, asks one that runs to stop. */
export const cancelJob: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/jobs/:id/cancel', options, async (request, reply) => {
    const job = requestedJob(request);
    const result = await cancelInLedger(app.db, job.tenantId, job.id);
    if (!result) throw jobNotFound();
    if (result.kind === 'alreadyFinished') {
      throw new Problem('job_already_finished', { members: { jobStatus: result.row.status } });
    }
    announce(app, result);
    const body = answerJob(app, reply, result.row, await deliveriesOf(app, result.row));
    return reply.code(result.kind === 'canceled' ? 200 : 202).send(body);
  });
};

/** Tells the worker or the waiting requests at once; both also poll, so nobody waits for this. */
function announce(app: FastifyInstance, { kind, row }: CancelResult): void {
  const channel = kind === 'requested' ? CHANNELS.cancelRequested : CHANNELS.jobFinished;
  notify(app.db, channel, row.id).catch((error: unknown) => {
    app.log.warn({ err: error }, 'a cancel was not announced; those it concerns poll');
  });
}
