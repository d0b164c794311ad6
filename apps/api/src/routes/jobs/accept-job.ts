import { setTimeout as delay } from 'node:timers/promises';
import { isNewJob, jobLinks } from '@accepted/shared/contract/job-view';
import type { ProblemCode } from '@accepted/shared/contract/problems';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { idempotencyFingerprint } from '@accepted/shared/core/job/idempotency-fingerprint';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { isTerminal } from '@accepted/shared/core/job/status';
import { parseTraceContext } from '@accepted/shared/core/job/trace-context';
import { stringifyWithTexts } from '@accepted/shared/core/json/json-text';
import { isDatabaseUnavailable } from '@accepted/shared/ledger/connection/connect';
import { findKeyedJob, settleStatus } from '@accepted/shared/ledger/jobs/idempotency-keys';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Admission, admitJob } from '../../admission/admit-job.ts';
import { type DatabaseBudget, spend } from '../../admission/database-budget.ts';
import { showLimits } from '../../admission/rate-limits.ts';
import { waitForJob } from '../../changes/waiting.ts';
import { parseIdempotencyKey } from '../../http/idempotency-key.ts';
import { parsePreferences } from '../../http/preferences.ts';
import { Problem } from '../../http/problem.ts';
import type { Answer } from '../../schemas/describe-route.ts';
import { always, WAIT_HEADERS } from '../../schemas/response-headers.ts';
import { tooManyBytes } from '../../submit/acceptor.ts';
import type { Submission } from '../../submit/resolve-job.ts';
import type { SubmittedJob } from '../../submit/submitter.ts';
import { answerJob, answerNewJob, applyPreferences, deliveriesOf } from './answer-job.ts';

const FINISHED = 200;
const ACCEPTED = 202;

const ACCEPTED_HEADERS = {
  Location: always('Where to follow the job.'),
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
 * another key; `asked` is a valid body, which must be the same when the key comes again, as must `target`, what the path names.
 */
export function submissionOf(
  request: FastifyRequest,
  { key, route, target, asked }: { key: string | undefined; route: string; target?: string; asked: unknown },
): Submission {
  const { headers } = request;
  const trace = parseTraceContext(headers.traceparent, headers.tracestate);
  return {
    id: newUuid(),
    tenantId: request.caller.tenantId,
    requestId: request.id,
    isRequestIdGiven: headers['x-request-id'] === request.id,
    traceparent: trace?.traceparent,
    tracestate: trace?.tracestate,
    idempotency:
      key === undefined
        ? undefined
        : {
            route,
            key,
            fingerprint: idempotencyFingerprint(target === undefined ? route : `${route} ${target}`, asked),
            ...statusWithoutWait(request),
          },
  };
}

/** How a request that does not wait will be answered; where one waits, that shows at its end. */
function statusWithoutWait({ headers }: FastifyRequest): { status?: number } {
  const { waitSeconds = 0 } = parsePreferences(headers.prefer as string | undefined);
  return waitSeconds === 0 ? { status: ACCEPTED } : {};
}

/** Takes a job in durably and answers it, at once or after the wait that the caller prefers. The 202 is the promise. */
export async function acceptJob(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  { job, maxWaitSeconds }: { job: NewJob; maxWaitSeconds: number },
): Promise<string> {
  const submitted = await write(app, request, job);
  showLimits(app.rates, request.caller, reply);
  return await answerAccepted(app, request, reply, { submitted, submission: job, maxWaitSeconds });
}

/** What has to do with a job that is to be made, and not with one that was. */
const ABOUT_NEW_JOBS: ReadonlySet<string> = new Set<ProblemCode>([
  'validation_failed',
  'quota_exceeded',
  'tenant_backlog_full',
  'queue_backlog_full',
  'deadline_unreachable',
]);

/**
 * Answers a request that does not stand up to the checks any more with what it made when it came before: the time that it
 * names may have passed since, its type be gone, or the queue be full. Any other is refused.
 */
export async function answerEarlier(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  refused: { refusal: unknown; submission: () => Submission; maxWaitSeconds: number },
): Promise<string> {
  const { refusal, maxWaitSeconds } = refused;
  if (!(refusal instanceof Problem) || !ABOUT_NEW_JOBS.has(refusal.code)) throw refusal;
  const submission = refused.submission();
  const { tenantId, idempotency } = submission;
  const found = idempotency && (await findKeyedJob(app.pools.submit, tenantId, idempotency));
  if (!found) throw refusal;
  const submitted = { row: found.row, replayed: true, status: found.status ?? undefined };
  return await answerAccepted(app, request, reply, { submitted, submission, maxWaitSeconds });
}

/** Sets status and headers, and writes the body. Most requests do not wait, and nothing here has to either. */
async function answerAccepted(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  answered: { submitted: SubmittedJob; submission: Submission; maxWaitSeconds: number },
): Promise<string> {
  const { submitted, submission, maxWaitSeconds } = answered;
  const { row, replayed, status } = submitted;
  const preferences = parsePreferences(request.headers.prefer as string | undefined);
  const waitMs = applyPreferences(request, reply, preferences, maxWaitSeconds);
  const current = waitMs > 0 ? await keepPromise(row, () => readAfterWait(app, reply, row, waitMs)) : row;
  const id = publicId('job', row.id);
  const body = isNewJob(current)
    ? answerNewJob(app, reply, current, id)
    : await answerKnownJob(app, reply, current);
  reply.header('location', jobLinks(id).self);
  if (replayed) reply.header('idempotent-replayed', 'true');
  const ownStatus = waitMs > 0 && isTerminal(current.status) ? FINISHED : ACCEPTED;
  const isKeyed = submission.idempotency !== undefined;
  const settled = isKeyed && !status ? await settle(reply, submission, row.id, ownStatus) : ownStatus;
  reply.code(status ?? settled).header('content-type', 'application/json; charset=utf-8');
  return body;
}

async function answerKnownJob(app: FastifyInstance, reply: FastifyReply, row: ShownJob): Promise<string> {
  const deliveries = await keepPromise([], () => deliveriesOf(app, row));
  return stringifyWithTexts(answerJob(app, reply, row, deliveries));
}

/** The first of the requests with a key that comes to be answered decides with which status all of them are. */
async function settle(
  { server, raw }: FastifyReply,
  { tenantId, idempotency }: Submission,
  jobId: string,
  status: number,
): Promise<number> {
  // Nobody is answered whose client is gone.
  if (!idempotency || raw.destroyed) return status;
  const { route, key } = idempotency;
  return keepPromise(status, () =>
    settleStatus(server.pools.submit, { tenantId, route, key, jobId }, status),
  );
}

/** Whoever is not waited for any more takes no room: what is let in afterwards is not written. */
async function spendOrLeave(budget: DatabaseBudget, admitting: Promise<Admission>): Promise<Admission> {
  try {
    return await spend(budget, admitting);
  } catch (error) {
    admitting.then(
      (admission) => admission.end(false),
      () => undefined,
    );
    throw error;
  }
}

/** Writes the job within the time that its caller is given, and says why when that was too short. */
async function write(
  app: FastifyInstance,
  { caller, databaseBudget: budget }: FastifyRequest,
  job: NewJob,
): Promise<SubmittedJob> {
  let hasBegun = false;
  const isWanted = () => {
    hasBegun = budget.remainingMs > 0;
    return hasBegun;
  };
  const admitting = admitJob(app, caller, job);
  const admission = admitting instanceof Promise ? await spendOrLeave(budget, admitting) : admitting;
  const submitting = app.submitJob(job, admission, isWanted);
  submitting.then(
    ({ replayed }) => admission.end(!replayed),
    () => admission.end(false),
  );
  try {
    // Whoever is not waited for any more may be written all the same.
    return await spend(budget, submitting);
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

/** While a failover lasts no longer than the caller waits, nobody is told less for it. */
const READ_AGAIN_MS = 500;

/** Waits for the job; where Postgres cannot be asked just now, for as long as the caller does. */
async function readAfterWait(
  app: FastifyInstance,
  reply: FastifyReply,
  row: ShownJob,
  waitMs: number,
): Promise<ShownJob> {
  const job = { tenantId: row.tenant_id, id: row.id };
  const endsAtMs = performance.now() + waitMs;
  for (;;) {
    const leftMs = Math.max(0, endsAtMs - performance.now());
    try {
      return (await waitForJob(app, reply, job, leftMs)) ?? row;
    } catch (error) {
      const isOver = reply.raw.closed || performance.now() + READ_AGAIN_MS > endsAtMs;
      if (isOver || !isDatabaseUnavailable(error)) throw error;
    }
    await delay(READ_AGAIN_MS);
  }
}
