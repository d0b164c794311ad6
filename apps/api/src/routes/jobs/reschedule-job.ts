import { isTerminal } from '@accepted/shared/core/job/status';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import {
  type RescheduleResult,
  rescheduleJob as rescheduleInLedger,
} from '@accepted/shared/ledger/jobs/reschedule-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { type Fault, Problem, validationFailed } from '../../http/problem.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answersOnce, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { RescheduleRequest } from '../../submit/change-requests.ts';
import { faultsOfStart, resolveStart } from '../../submit/resolve-job.ts';
import { answerJob, deliveriesOf, jobNotFound, requestedJob } from './answer-job.ts';
import { jobMemory } from './job-memory.ts';

const options = needsScope('jobs:write', {
  summary: 'Reschedule a job',
  description:
    'Gives a job that waits another time to start at, sooner or later; `delayMs: 0` has it start now. Its attempts stay, and so does ' +
    '`expiresAt`. Safe to send again.',
  tags: ['jobs'],
  params: JobIdParameter,
  headers: KeyHeader,
  querystring: NoParameters,
  body: RescheduleRequest,
  response: answersOnce(
    { 200: { description: 'The job, which waits for its new time.', schema: Type.Ref('Job') } },
    [
      'malformed_json',
      'body_too_large',
      'unsupported_media_type',
      'validation_failed',
      'job_not_found',
      'job_running',
      'job_already_finished',
    ],
  ),
});

/** `POST /v1/jobs/{id}/reschedule`: moves the start of a job that waits. */
export const rescheduleJob: FastifyPluginAsyncTypebox = async (app) => {
  const config = { ...options.config, collectsFaults: true };
  app.post('/v1/jobs/:id/reschedule', { ...options, config }, async (request, reply) => {
    const job = requestedJob(request);
    await refuse(app.db, job, bodyFaultsOf(request));
    const { body } = request;
    const { made, isReplay } = await actOnce(request, reply, {
      async act(tx) {
        // What was right when it was first asked for may be in the past when it is asked for again.
        await refuse(tx, job, faultsOf(body));
        const result = await rescheduleInLedger(tx, job.tenantId, job.id, resolveStart(body));
        return { status: 200, made: rescheduled(body, result) };
      },
      ...jobMemory(request),
    });
    if (!isReplay) tellWorkers(app, made);
    return answerJob(app, reply, made, await deliveriesOf(app, made));
  });
};

/** Whoever may not know of the job is not told either what a right body would be. */
async function refuse(db: Database, job: { tenantId: string; id: string }, faults: Fault[]): Promise<void> {
  if (faults.length === 0) return;
  if (!(await findJob(db, job.tenantId, job.id))) throw jobNotFound();
  throw validationFailed(faults);
}

function faultsOf({ runAt, delayMs }: RescheduleRequest): Fault[] {
  if (runAt === undefined && delayMs === undefined)
    return [{ pointer: '', detail: 'Give either `runAt` or `delayMs`.' }];
  return faultsOfStart(
    { ...(runAt !== undefined && { runAt }), ...(delayMs !== undefined && { delayMs }) },
    new Date(),
  );
}

function rescheduled(asked: RescheduleRequest, result: RescheduleResult | undefined): ShownJob {
  if (!result) throw jobNotFound();
  const { kind, row } = result;
  if (kind === 'rescheduled') return row;
  if (kind === 'tooLate') {
    const pointer = asked.runAt === undefined ? '/delayMs' : '/runAt';
    throw validationFailed([{ pointer, detail: 'The job would expire before this time.' }]);
  }
  const code = isTerminal(row.status) ? 'job_already_finished' : 'job_running';
  throw new Problem(code, { members: { jobStatus: row.status } });
}

/** Saves the workers their next poll; nobody waits for this. */
function tellWorkers(app: FastifyInstance, row: ShownJob): void {
  const channel = row.status === 'queued' ? CHANNELS.queueHasWork : CHANNELS.timesHaveChanged;
  notify(app.db, channel, row.queue).catch((error: unknown) => {
    app.log.warn({ err: error }, 'the workers were not told of a new time; they poll');
  });
}
