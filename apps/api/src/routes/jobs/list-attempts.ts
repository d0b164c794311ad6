import { findJob, listAttempts as readAttempts } from '@accepted/shared/ledger/jobs/read-jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Page, wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { jobNotFound, requestedJob } from './answer-job.ts';
import { Attempt, type AttemptView, endedAttempt, runningAttempt } from './attempt-view.ts';

const options = needsScope('jobs:read', {
  summary: "List a job's attempts",
  description: 'Every attempt, the first one first; one that is running comes last.',
  tags: ['jobs'],
  params: JobIdParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'All attempts.', schema: pageOf(Attempt) } }, ['job_not_found']),
});

/** `GET /v1/jobs/{id}/attempts`: what was tried, by whom and how it ended. */
export const listAttempts: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/jobs/:id/attempts', options, async (request): Promise<Page<AttemptView>> => {
    const job = requestedJob(request);
    const row = await findJob(app.db, job.tenantId, job.id);
    if (!row) throw jobNotFound();
    const showStack = request.caller.scopes.includes('dead-letters');
    const ended = (await readAttempts(app.db, job.tenantId, row.id)).map((attempt) =>
      endedAttempt(attempt, showStack),
    );
    return wholePage([...ended, ...runningAttempt(row, ended)]);
  });
};
