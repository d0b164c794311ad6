import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { type CancelResult, cancelJob as cancelInLedger } from '@accepted/shared/ledger/jobs/cancel-jobs';
import type { Done } from '@accepted/shared/ledger/jobs/idempotency-keys';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { Problem } from '../../http/problem.ts';
import { answersOnce, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { answerJob, deliveriesOf, jobNotFound, requestedJob } from './answer-job.ts';
import { jobMemory } from './job-memory.ts';

const options = needsScope('jobs:write', {
  summary: 'Cancel a job',
  description:
    'A job that waits is canceled at once. One that runs is asked to stop: its handler decides, and may still succeed.',
  tags: ['jobs'],
  params: JobIdParameter,
  headers: KeyHeader,
  querystring: NoParameters,
  response: answersOnce(
    {
      200: { description: 'The job was canceled before it ran.', schema: Type.Ref('Job') },
      202: { description: 'The job is running; its handler was asked to stop.', schema: Type.Ref('Job') },
    },
    [...BODY_PROBLEMS, 'job_not_found', 'job_already_finished'],
  ),
});

/** `POST /v1/jobs/{id}/cancel`: ends a job that waits, asks one that runs to stop. */
export const cancelJob: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/jobs/:id/cancel', options, async (request, reply) => {
    const job = requestedJob(request);
    const { status, made, isReplay } = await actOnce(request, reply, {
      act: async (tx) => canceled(await cancelInLedger(tx, job.tenantId, job.id)),
      ...jobMemory(request),
    });
    if (!isReplay) announce(app, made);
    const body = answerJob(app, reply, made, await deliveriesOf(app, made));
    return reply.code(status).send(body);
  });
};

function canceled(result: CancelResult | undefined): Done<ShownJob> {
  if (!result) throw jobNotFound();
  const { kind, row } = result;
  if (kind === 'alreadyFinished') {
    throw new Problem('job_already_finished', { members: { jobStatus: row.status } });
  }
  return { status: kind === 'canceled' ? 200 : 202, made: row };
}

/** Tells the worker or the waiting requests at once; both also poll, so nobody waits for this. */
function announce(app: FastifyInstance, row: ShownJob): void {
  const channel = row.status === 'running' ? CHANNELS.cancelRequested : CHANNELS.jobFinished;
  notify(app.db, channel, row.id).catch((error: unknown) => {
    app.log.warn({ err: error }, 'a cancel was not announced; those it concerns poll');
  });
}
