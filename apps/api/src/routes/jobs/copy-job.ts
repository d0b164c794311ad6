import { JsonText } from '@accepted/shared/core/json/json-text';
import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { requireRoomFor } from '../../admission/admit-job.ts';
import { spend } from '../../admission/database-budget.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import { allowNoBody } from '../../http/optional-body.ts';
import { validationFailed } from '../../http/problem.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { IdempotencyKey, Prefer, Traceparent, Tracestate } from '../../schemas/request-headers.ts';
import { CopyRequest } from '../../submit/change-requests.ts';
import { catalogFor, checkSubmission, type InspectPayload } from '../../submit/check-submission.ts';
import { requestOfCopy } from '../../submit/copy-job.ts';
import { resolveJob } from '../../submit/resolve-job.ts';
import { acceptedAnswers, acceptJob, answerEarlier, idempotencyKeyOf, submissionOf } from './accept-job.ts';
import { jobNotFound, requestedJob } from './answer-job.ts';

const ROUTE = 'POST /v1/jobs/{id}/copy';

const DELIVERIES_ARE_NOT_COPIED = {
  pointer: '',
  detail: 'A webhook delivery cannot be copied: replay its dead letter, or copy the job that it tells of.',
};

const options = needsScope('jobs:write', {
  summary: 'Copy a job',
  description:
    'Submits a new job like this one, whatever became of it; `copyOf` names the first. The body may be left out, or say what is to be ' +
    'otherwise. `runAt`, `delayMs` and `ttlMs` are not copied. The payload is checked against the schema that its type has now.',
  tags: ['jobs'],
  params: JobIdParameter,
  headers: Type.Object({
    'Idempotency-Key': IdempotencyKey,
    Prefer,
    traceparent: Traceparent,
    tracestate: Tracestate,
  }),
  querystring: NoParameters,
  body: CopyRequest,
  'x-optional-body': true,
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
    'job_not_found',
  ]),
});

const isObject = (body: unknown) => typeof body === 'object' && body !== null;

/** `POST /v1/jobs/{id}/copy`: takes in a new job that is like another one. */
export const copyJob: FastifyPluginAsyncTypebox<{ maxWaitSeconds: number }> = async (
  app,
  { maxWaitSeconds },
) => {
  const config = { ...options.config, collectsFaults: true, takesJobs: true };
  app.post(
    '/v1/jobs/:id/copy',
    { ...options, config, preValidation: allowNoBody },
    async (request, reply) => {
      const key = idempotencyKeyOf(request);
      const { tenantId, id } = requestedJob(request);
      const source = await spend(request.databaseBudget, findJob(app.db, tenantId, id));
      if (!source) throw jobNotFound();
      // The platform signs what a delivery sends: a client's own words must not come to be signed.
      if (source.type === DELIVERY_TYPE) throw validationFailed([DELIVERIES_ARE_NOT_COPIED]);
      const bodyFaults = bodyFaultsOf(request);
      // It may have any shape when it has faults; all of them are to be told at once.
      const changes = isObject(request.body) ? request.body : {};
      const wanted = requestOfCopy(source, changes);
      const snapshot = await spend(request.databaseBudget, Promise.resolve(catalogFor(app.catalog, wanted)));
      const inspect = app.inspectPayloadsOf(tenantId);
      const copied = requestOfCopy(source, changes, await keyMadeFor(source, snapshot, inspect));
      const submission = () => submissionOf(request, { key, route: ROUTE, target: id, asked: request.body });
      try {
        const requireRoom = requireRoomFor(app, request.caller);
        const checks = { snapshot, inspect, now: new Date(), requireRoom };
        const { jobType, payload } = await checkSubmission(checks, copied, bodyFaults);
        const job = resolveJob(copied, jobType, { ...submission(), payload, copyOf: source.id });
        return await acceptJob(app, request, reply, { job, maxWaitSeconds });
      } catch (error) {
        if (bodyFaults.length > 0) throw error;
        return await answerEarlier(app, request, reply, { refusal: error, submission, maxWaitSeconds });
      }
    },
  );
};

/** Answers the concurrency key that the type makes of the payload of a job that has one. */
async function keyMadeFor(
  job: ShownJob,
  { types }: CatalogSnapshot,
  inspect: InspectPayload,
): Promise<string | undefined> {
  const known = job.concurrency_key === null ? undefined : types.get(job.type);
  return known && (await inspect(known, new JsonText(job.payloadJson))).concurrencyKey;
}
