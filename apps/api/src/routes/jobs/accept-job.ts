import { isDatabaseUnavailable } from '@accepted/shared/database/connect';
import type { ShownJob } from '@accepted/shared/database/shown-job';
import { newUuid } from '@accepted/shared/job/id';
import { idempotencyFingerprint } from '@accepted/shared/job/idempotency-fingerprint';
import type { NewJob } from '@accepted/shared/job/new-job';
import { isTerminal } from '@accepted/shared/job/status';
import { parseTraceContext } from '@accepted/shared/job/trace-context';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { spend } from '../../http/database-budget.ts';
import { parseIdempotencyKey } from '../../http/idempotency-key.ts';
import { parsePreferences } from '../../http/preferences.ts';
import { waitForJob } from '../../plugins/waiting.ts';
import type { Answer } from '../../schemas/describe-route.ts';
import { WAIT_HEADERS } from '../../schemas/response-headers.ts';
import { tooManyBytes } from '../../submit/acceptor.ts';
import type { Submission } from '../../submit/resolve-job.ts';
import { answerJob, applyPreferences, deliveriesOf } from './answer-job.ts';

const ACCEPTED_HEADERS = {
  Location: 'Where to follow the job.',
  'Idempotent-Replayed': '`true` when an earlier request with this key made the job.',
  ...WAIT_HEADERS,
};

/** The answers of every route that takes a job in. */
export function acceptedAnswers(schema: NonNullable<Answer['schema']>): Record<number, Answer> {
  return {
    200: { description: 'The job finished within the wait.', schema, headers: ACCEPTED_HEADERS },
    202: { description: 'The job is accepted.', schema, headers: ACCEPTED_HEADERS },
  };
}

export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  return parseIdempotencyKey(request.headers['idempotency-key'] as string | string[] | undefined);
}

/**
 * Reads what of a job does not come from its body. `route` scopes the idempotency key, so that one used on another route is
 * another key; `asked` is a valid body, which must be the same when the key comes again.
 */
export function submissionOf(
  request: FastifyRequest,
  { key, route, asked }: { key: string | undefined; route: string; asked: unknown },
): Submission {
  const { traceparent, tracestate } = request.headers;
  return {
    id: newUuid(),
    tenantId: request.caller.tenantId,
    requestId: request.id,
    ...parseTraceContext(traceparent, tracestate),
    ...(key !== undefined && {
      idempotency: { route, key, fingerprint: idempotencyFingerprint(route, asked) },
    }),
  };
}

/** Takes a job in durably and answers it, at once or after the wait that the caller prefers. The 202 is the promise. */
export async function acceptJob(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  { job, maxWaitSeconds }: { job: NewJob; maxWaitSeconds: number },
): Promise<FastifyReply> {
  const preferences = parsePreferences(request.headers.prefer as string | undefined);
  const { row, replayed } = await write(app, request, job);
  const waitMs = applyPreferences(request, reply, preferences, maxWaitSeconds);
  const current =
    waitMs > 0 ? await keepPromise(row, () => readAfterWait(app, row, waitMs, request.signal)) : row;
  const deliveries = await keepPromise([], () => deliveriesOf(app, current));
  const body = answerJob(app, reply, current, deliveries);
  reply.header('location', body.links.self);
  if (replayed) reply.header('idempotent-replayed', 'true');
  return reply.code(waitMs > 0 && isTerminal(current.status) ? 200 : 202).send(body);
}

/** Writes the job within the time that its caller is given, and says why when that was too short. */
async function write(app: FastifyInstance, { databaseBudget: budget }: FastifyRequest, job: NewJob) {
  let hasBegun = false;
  const isWanted = () => {
    hasBegun = budget.remainingMs > 0;
    return hasBegun;
  };
  try {
    return await spend(budget, app.submitJob(job, isWanted));
  } catch (error) {
    throw budget.remainingMs <= 0 && !hasBegun && app.isWriting() ? tooManyBytes() : error;
  }
}

/** Reads more of a job that is already accepted: losing Postgres meanwhile must not turn its 202 into an error. */
async function keepPromise<T>(known: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isDatabaseUnavailable(error)) return known;
    throw error;
  }
}

async function readAfterWait(
  app: FastifyInstance,
  row: ShownJob,
  waitMs: number,
  signal: AbortSignal,
): Promise<ShownJob> {
  return (await waitForJob(app, { tenantId: row.tenant_id, id: row.id }, waitMs, signal)) ?? row;
}
