import { findJob, listAttempts as readAttempts } from '@accepted/shared/database/read-jobs';
import type { AttemptRow, JobRow } from '@accepted/shared/database/tables';
import { publicId } from '@accepted/shared/job/id';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Page, wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { orNull, pageOf } from '../../schemas/shared-schemas.ts';
import { jobNotFound, requestedJob } from './answer-job.ts';

const Time = Type.String({ format: 'date-time' });

const Attempt = Type.Object(
  {
    attempt: Type.Integer({ description: 'Counted from 1.' }),
    replayRound: Type.Integer({ description: '0, and one more with every replay of the dead letter.' }),
    workerId: orNull(Type.String()),
    outcome: Type.String({
      description: '`running`, `succeeded`, `failed`, `timeout`, `worker_lost`, `canceled` or `released`.',
    }),
    error: orNull(
      Type.Object({
        code: Type.String(),
        message: Type.String(),
        retryable: Type.Boolean(),
        stack: Type.Optional(Type.String({ description: 'Only with scope `dead-letters`.' })),
      }),
    ),
    startedAt: orNull(Time),
    finishedAt: orNull(Time),
  },
  { additionalProperties: false },
);

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

interface AttemptView {
  attempt: number;
  replayRound: number;
  workerId: string | null;
  outcome: string;
  error: object | null;
  startedAt: string | null;
  finishedAt: string | null;
}

function endedAttempt(row: AttemptRow, showStack: boolean): AttemptView {
  return {
    attempt: row.attempt,
    replayRound: row.replay_round,
    workerId: row.worker_id && publicId('worker', row.worker_id),
    outcome: row.outcome,
    error: errorView(row.error, showStack),
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at.toISOString(),
  };
}

/** An attempt has a row of its own only when it has ended; until then the job's row tells of it. */
function runningAttempt(job: JobRow, ended: AttemptView[]): AttemptView[] {
  if (job.status !== 'running' || ended.some(({ attempt }) => attempt === job.attempt)) return [];
  return [
    {
      attempt: job.attempt,
      replayRound: job.replay_round,
      workerId: job.worker_id && publicId('worker', job.worker_id),
      outcome: 'running',
      error: null,
      startedAt: job.started_at?.toISOString() ?? null,
      finishedAt: null,
    },
  ];
}

/** A stack shows paths and code of the operator, so it needs a scope of its own. */
function errorView(error: unknown, showStack: boolean): object | null {
  if (typeof error !== 'object' || error === null) return null;
  const { stack, ...rest } = error as { stack?: string };
  return showStack && stack !== undefined ? { ...rest, stack } : rest;
}
