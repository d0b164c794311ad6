import { publicId } from '@accepted/shared/core/job/id';
import type { EndedAttemptRow } from '@accepted/shared/ledger/jobs/read-jobs';
import type { JobListRow } from '@accepted/shared/ledger/jobs/shown-job';
import { Type } from 'typebox';
import { orNull, time } from '../../schemas/shared-schemas.ts';

export const Attempt = Type.Object(
  {
    attempt: Type.Integer({ description: 'Counted from 1.' }),
    replayRound: Type.Integer({ description: '0, and one more with every replay of the dead letter.' }),
    workerId: orNull(Type.String({ description: 'The worker that ran it.' })),
    build: orNull(Type.String({ description: 'What the worker was made of: a hash of its job types.' })),
    outcome: Type.String({
      description:
        '`running`, `succeeded`, `failed`, `timeout`, `worker_lost`, `canceled` or `released`. One that was released ' +
        'does not count; with the error `worker_lost`, its worker was lost and may have been killed by another job.',
    }),
    error: orNull(
      Type.Object(
        {
          code: Type.String({ description: 'What kind of error it was.' }),
          message: Type.String({ description: 'What the handler said, for people.' }),
          retryable: Type.Boolean({ description: 'Whether another attempt could help.' }),
          stack: Type.Optional(Type.String({ description: 'Only with scope `dead-letters`.' })),
        },
        { description: 'Why it failed; `null` where it did not.' },
      ),
    ),
    startedAt: orNull(time('When it started.')),
    finishedAt: orNull(time('When it ended; `null` while it runs.')),
  },
  { title: 'Attempt', additionalProperties: false, description: 'One run of the handler.' },
);

export interface AttemptView {
  attempt: number;
  replayRound: number;
  workerId: string | null;
  build: string | null;
  outcome: string;
  error: object | null;
  startedAt: string | null;
  finishedAt: string | null;
}

/** Shows an attempt that has ended. */
export function endedAttempt(row: EndedAttemptRow, showStack: boolean): AttemptView {
  return {
    attempt: row.attempt,
    replayRound: row.replay_round,
    workerId: row.worker_id && publicId('worker', row.worker_id),
    build: row.build_id,
    outcome: row.outcome,
    error: errorView(row.error, showStack),
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at.toISOString(),
  };
}

/** Shows the attempt that is running, if one is: only an ended one has a row of its own, until then the job's tells of it. */
export function runningAttempt(job: JobListRow, ended: AttemptView[]): AttemptView[] {
  if (job.status !== 'running' || ended.some(({ attempt }) => attempt === job.attempt)) return [];
  return [
    {
      attempt: job.attempt,
      replayRound: job.replay_round,
      workerId: job.worker_id && publicId('worker', job.worker_id),
      build: job.build_id,
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
