import { isDatabaseUnavailable } from '@accepted/shared/database/connect';
import type { JobRow } from '@accepted/shared/database/tables';
import { newUuid } from '@accepted/shared/job/id';
import { idempotencyFingerprint } from '@accepted/shared/job/idempotency-fingerprint';
import { isTerminal } from '@accepted/shared/job/status';
import { parseTraceContext } from '@accepted/shared/job/trace-context';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { spend } from '../../http/database-budget.ts';
import { parseIdempotencyKey } from '../../http/idempotency-key.ts';
import { parsePreferences } from '../../http/preferences.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { waitForJob } from '../../plugins/waiting.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { IdempotencyKey, Prefer, Traceparent, Tracestate } from '../../schemas/request-headers.ts';
import { WAIT_HEADERS } from '../../schemas/response-headers.ts';
import { catalogFor, checkSubmission } from '../../submit/check-submission.ts';
import { JobRequest } from '../../submit/job-request.ts';
import { resolveJob, type Submission } from '../../submit/resolve-job.ts';
import { answerJob, applyPreferences } from './answer-job.ts';

/** Scopes idempotency keys, so that a key used on another route is another key. */
const ROUTE = 'POST /v1/jobs';

const SUBMIT_HEADERS = {
  Location: 'Where to follow the job.',
  'Idempotent-Replayed': '`true` when an earlier request with this key made the job.',
  ...WAIT_HEADERS,
};

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
  response: answers(
    {
      200: {
        description: 'The job finished within the wait.',
        schema: Type.Ref('Job'),
        headers: SUBMIT_HEADERS,
      },
      202: {
        description: 'The job is accepted.',
        schema: Type.Ref('Job'),
        headers: SUBMIT_HEADERS,
      },
    },
    [
      'malformed_json',
      'body_too_large',
      'unsupported_media_type',
      'validation_failed',
      'idempotency_key_reused',
    ],
  ),
});

/** `POST /v1/jobs`: takes a job in; its 202 is the promise. */
export const submitJob: FastifyPluginAsyncTypebox<{ maxWaitSeconds: number }> = async (
  app,
  { maxWaitSeconds },
) => {
  const config = { ...options.config, collectsFaults: true };
  app.post('/v1/jobs', { ...options, config }, async (request, reply) => {
    const key = parseIdempotencyKey(request.headers['idempotency-key'] as string | string[] | undefined);
    const preferences = parsePreferences(request.headers.prefer as string | undefined);
    const bodyFaults = bodyFaultsOf(request);
    const found = catalogFor(app.catalog, request.body);
    const catalog = found instanceof Promise ? await spend(request.databaseBudget, found) : found;
    const jobType = checkSubmission(catalog, request.body, bodyFaults, new Date());
    const refusedBy = jobType.refusingSchemas(request.body.payload);
    const job = resolveJob(request.body, jobType.row, { ...submissionOf(request, key), refusedBy });
    const isWanted = () => request.databaseBudget.remainingMs > 0;
    const { row, replayed } = await spend(request.databaseBudget, app.submitJob(job, isWanted));
    const waitMs = applyPreferences(reply, preferences, maxWaitSeconds);
    const current = waitMs > 0 ? await waitAfterPromise(app, row, waitMs, request.signal) : row;
    const body = answerJob(app, reply, current);
    reply.header('location', body.links.self);
    if (replayed) reply.header('idempotent-replayed', 'true');
    return reply.code(waitMs > 0 && isTerminal(current.status) ? 200 : 202).send(body);
  });
};

function submissionOf(request: FastifyRequest, key: string | undefined): Submission {
  const { traceparent, tracestate } = request.headers;
  return {
    id: newUuid(),
    tenantId: request.caller.tenantId,
    requestId: request.id,
    ...parseTraceContext(traceparent, tracestate),
    ...(key !== undefined && {
      idempotency: { route: ROUTE, key, fingerprint: idempotencyFingerprint(ROUTE, request.body) },
    }),
  };
}

/** Waits for a job that is already accepted: losing Postgres meanwhile must not turn its 202 into an error. */
async function waitAfterPromise(
  app: FastifyInstance,
  row: JobRow,
  waitMs: number,
  signal: AbortSignal,
): Promise<JobRow> {
  try {
    return (await waitForJob(app, { tenantId: row.tenant_id, id: row.id }, waitMs, signal)) ?? row;
  } catch (error) {
    if (isDatabaseUnavailable(error)) return row;
    throw error;
  }
}
