import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { requireRoomFor } from '../../admission/admit-job.ts';
import { spend } from '../../admission/database-budget.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { IdempotencyKey, Prefer, Traceparent, Tracestate } from '../../schemas/request-headers.ts';
import { catalogFor, checkSubmission } from '../../submit/check-submission.ts';
import { JobRequest } from '../../submit/job-request.ts';
import { resolveJob } from '../../submit/resolve-job.ts';
import { acceptedAnswers, acceptJob, answerEarlier, idempotencyKeyOf, submissionOf } from './accept-job.ts';

/** Scopes idempotency keys, so that a key used on another route is another key. */
const ROUTE = 'POST /v1/jobs';

const options = needsScope('jobs:write', {
  summary: 'Submit a job',
  description:
    'Answers after the job is durably written. With `Idempotency-Key` it is safe to send again: the same key and body make one job. ' +
    '`Prefer: wait=N` waits up to N seconds for the job to finish.',
  tags: ['jobs'],
  headers: Type.Object({
    'Idempotency-Key': IdempotencyKey,
    Prefer,
    traceparent: Traceparent,
    tracestate: Tracestate,
  }),
  querystring: NoParameters,
  body: JobRequest,
  response: answers(acceptedAnswers(Type.Ref('Job')), [
    'malformed_json',
    'body_too_large',
    'unsupported_media_type',
    'validation_failed',
    'idempotency_key_reused',
    'rate_limited',
    'quota_exceeded',
    'tenant_backlog_full',
    'queue_backlog_full',
    'deadline_unreachable',
    'dependency_slow',
  ]),
});

/** `POST /v1/jobs`: takes a job in; its 202 is the promise. */
export const submitJob: FastifyPluginAsyncTypebox<{ maxWaitSeconds: number }> = async (
  app,
  { maxWaitSeconds },
) => {
  const config = { ...options.config, collectsFaults: true, takesJobs: true };
  app.post('/v1/jobs', { ...options, config }, async (request, reply) => {
    const key = idempotencyKeyOf(request);
    const bodyFaults = bodyFaultsOf(request);
    const found = catalogFor(app.catalog, request.body);
    const snapshot = found instanceof Promise ? await spend(request.databaseBudget, found) : found;
    const inspect = app.inspectPayloadsOf(request.caller.tenantId);
    const submission = () => submissionOf(request, { key, route: ROUTE, asked: request.body });
    try {
      const requireRoom = requireRoomFor(app, request.caller);
      const checks = { snapshot, inspect, now: new Date(), requireRoom };
      const checking = checkSubmission(checks, request.body, bodyFaults);
      const { jobType, payload } = checking instanceof Promise ? await checking : checking;
      const job = resolveJob(request.body, jobType, { ...submission(), payload });
      return await acceptJob(app, request, reply, { job, maxWaitSeconds });
    } catch (error) {
      if (bodyFaults.length > 0) throw error;
      return await answerEarlier(app, request, reply, { refusal: error, submission, maxWaitSeconds });
    }
  });
};
