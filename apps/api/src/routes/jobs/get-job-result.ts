import { findJobResult, type JobResult } from '@accepted/shared/ledger/jobs/read-jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { jobETag, matchesETag } from '../../http/conditional.ts';
import { Problem } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { IfNoneMatch } from '../../schemas/request-headers.ts';
import { ETAG_HEADERS } from '../../schemas/response-headers.ts';
import { jobNotFound, requestedJob } from './answer-job.ts';

const options = needsScope('jobs:read', {
  summary: "Get a job's result",
  description: 'The very JSON that the handler returned.',
  tags: ['jobs'],
  params: JobIdParameter,
  headers: Type.Object({ 'If-None-Match': IfNoneMatch }),
  querystring: NoParameters,
  response: answers(
    {
      200: {
        description: 'The result.',
        schema: Type.Unknown({ description: 'Any JSON, as the `resultSchema` of the job type says.' }),
        headers: ETAG_HEADERS,
      },
      304: { description: 'The result is as `If-None-Match` knows it.', headers: ETAG_HEADERS },
    },
    ['job_not_found', 'job_not_finished', 'job_failed', 'job_canceled', 'job_expired'],
  ),
});

/** `GET /v1/jobs/{id}/result`: the result alone, or a problem that says why there is none. */
export const getJobResult: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/jobs/:id/result', options, async (request, reply) => {
    const job = requestedJob(request);
    const found = await findJobResult(app.db, job.tenantId, job.id);
    if (!found) throw jobNotFound();
    if (found.status !== 'succeeded') throw whyNoResult(app, found);
    reply.header('etag', jobETag(found.version)).header('cache-control', 'private, no-cache');
    if (matchesETag(request.headers['if-none-match'], jobETag(found.version))) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(found.resultJson ?? 'null');
  });
};

function whyNoResult(app: FastifyInstance, found: JobResult): Problem {
  switch (found.status) {
    case 'failed':
      return new Problem('job_failed', {
        ...(found.error && { detail: `The job failed: ${found.error.message}` }),
        members: { jobError: found.error },
      });
    case 'canceled':
      return new Problem('job_canceled');
    case 'expired':
      return new Problem('job_expired');
    default: {
      const headers = { 'retry-after': String(app.forecasts.retryAfterOf(found) ?? 1) };
      return new Problem('job_not_finished', { headers, members: { jobStatus: found.status } });
    }
  }
}
