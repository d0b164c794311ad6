import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { waitForJob } from '../../changes/waiting.ts';
import { matchesETag } from '../../http/conditional.ts';
import { parsePreferences } from '../../http/preferences.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter } from '../../schemas/parameters.ts';
import { IfNoneMatch, Prefer } from '../../schemas/request-headers.ts';
import { always, JOB_HEADERS, WAIT_HEADERS } from '../../schemas/response-headers.ts';
import { answerJob, applyPreferences, deliveriesOf, jobNotFound, requestedJob } from './answer-job.ts';

const options = needsScope('jobs:read', {
  summary: 'Get a job',
  description:
    'Always 200 while the job is pending, with `Retry-After` from the measured drain of its queue. `If-None-Match` makes polling cheap; ' +
    '`Prefer: wait=N` waits up to N seconds for the job to finish (long-poll).',
  tags: ['jobs'],
  params: JobIdParameter,
  headers: Type.Object({ 'If-None-Match': IfNoneMatch, Prefer }),
  querystring: Type.Object(
    {
      onComplete: Type.Optional(
        Type.Literal('redirect', { description: 'Answers 303 to the result once the job has succeeded.' }),
      ),
    },
    { additionalProperties: false },
  ),
  response: answers(
    {
      200: {
        description: 'The job.',
        schema: Type.Ref('Job'),
        headers: WAIT_HEADERS,
      },
      303: {
        description: 'The job succeeded; its result is at `Location`.',
        headers: { Location: always('The result.'), ...JOB_HEADERS, ...WAIT_HEADERS },
      },
      304: {
        description: 'The job is as `If-None-Match` knows it.',
        headers: { ...JOB_HEADERS, ...WAIT_HEADERS },
      },
    },
    ['job_not_found'],
  ),
});

/** `GET /v1/jobs/{id}`: the job as it is, or as it is when it is finished. */
export const getJob: FastifyPluginAsyncTypebox<{ maxWaitSeconds: number }> = async (
  app,
  { maxWaitSeconds },
) => {
  app.get('/v1/jobs/:id', options, async (request, reply) => {
    const job = requestedJob(request);
    const preferences = parsePreferences(request.headers.prefer as string | undefined);
    const waitMs = applyPreferences(request, reply, preferences, maxWaitSeconds);
    const row =
      waitMs > 0 ? await waitForJob(app, reply, job, waitMs) : await findJob(app.db, job.tenantId, job.id);
    if (!row) throw jobNotFound();
    const body = answerJob(app, reply, row, await deliveriesOf(app, row));
    if (request.query.onComplete === 'redirect' && row.status === 'succeeded') {
      return reply.redirect(body.links.result, 303);
    }
    if (matchesETag(request.headers['if-none-match'], String(reply.getHeader('etag'))))
      return reply.code(304).send();
    return reply.send(body);
  });
};
