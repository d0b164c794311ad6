import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import {
  type PayloadEdit,
  type ReplayResult,
  replayTenantsDeadLetter,
} from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import { findDeadLetter } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { allowNoBody } from '../../http/optional-body.ts';
import { Problem } from '../../http/problem.ts';
import { answersOnce, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { always } from '../../schemas/response-headers.ts';
import { answerJob, deliveriesOf, jobNotFound } from '../jobs/answer-job.ts';
import { jobMemory } from '../jobs/job-memory.ts';
import { DeadLetterIdParameter, deadLetterNotFound, requestedDeadLetter } from './dead-letter-parameters.ts';
import { checkEditedPayload } from './edit-payload.ts';

const Body = Type.Object(
  {
    payload: Type.Optional(
      Type.Unknown({
        description: 'Another payload; the JSON Schema of the type decides. The old one is kept.',
      }),
    ),
    reason: Type.Optional(Reason),
  },
  {
    title: 'ReplayRequest',
    additionalProperties: false,
    examples: [{ payload: { method: 'GET', url: 'https://example.com/' }, reason: 'the URL was wrong' }],
  },
);

const options = needsScope('dead-letters', {
  summary: 'Replay a dead letter',
  description:
    'Puts the same job, under the same id, back to `queued`, with its attempts counted anew. The body may be left out.',
  tags: ['dead-letters'],
  params: DeadLetterIdParameter,
  headers: KeyHeader,
  querystring: NoParameters,
  body: Body,
  'x-optional-body': true,
  response: answersOnce(
    {
      202: {
        description: 'The job is queued again.',
        schema: Type.Ref('Job'),
        headers: { Location: always('Where to follow the job.') },
      },
    },
    [
      'malformed_json',
      'body_too_large',
      'unsupported_media_type',
      'validation_failed',
      'dead_letter_not_found',
      'dead_letter_already_resolved',
      'dead_letter_without_job',
    ],
  ),
});

/** `POST /v1/dead-letters/{id}/replay`: gives a job that failed for good another chance. */
export const replayDeadLetter: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/dead-letters/:id/replay',
    { ...options, preValidation: allowNoBody },
    async (request, reply) => {
      const letter = requestedDeadLetter(request);
      // Not within the transaction: the check may take its time, and others need the connection.
      const edit = 'payload' in request.body ? await readEdit(app, letter, request.body.payload) : undefined;
      const byWhom = { actor: request.caller.keyId, reason: request.body.reason ?? NO_REASON };
      const { status, made, isReplay } = await actOnce(request, reply, {
        async act(tx) {
          const result = await replayTenantsDeadLetter(tx, { ...letter, act: byWhom, ...(edit && { edit }) });
          return { status: 202, made: await findReplayed(tx, letter.tenantId, result) };
        },
        ...jobMemory(request),
      });
      if (!isReplay) tellOfWork(app, made.queue);
      const view = answerJob(app, reply, made, await deliveriesOf(app, made));
      return reply.code(status).header('location', view.links.self).send(view);
    },
  );
};

/** `undefined` where the act itself says why there is nothing to edit, or the request has come before. */
async function readEdit(
  app: FastifyInstance,
  { tenantId, id }: { tenantId: string; id: string },
  payload: unknown,
): Promise<PayloadEdit | undefined> {
  const details = await findDeadLetter(app.db, tenantId, id);
  if (!details || details.letter.resolution) return undefined;
  const inspect = app.inspectPayloadsOf(tenantId);
  return checkEditedPayload({ catalog: app.catalog, inspect }, details, payload);
}

async function findReplayed(
  db: Database,
  tenantId: string,
  result: ReplayResult | undefined,
): Promise<ShownJob> {
  const row = await findJob(db, tenantId, replayed(result).jobId);
  if (!row) throw jobNotFound();
  return row;
}

function replayed(result: ReplayResult | undefined) {
  if (!result) throw deadLetterNotFound();
  if (result.kind === 'alreadyResolved') throw alreadyResolved(result.resolution);
  if (result.kind === 'jobGone') throw new Problem('dead_letter_without_job');
  return result;
}

export function alreadyResolved(resolution: string): Problem {
  return new Problem('dead_letter_already_resolved', { members: { resolution } });
}

/** Saves the dispatchers their next poll; nobody waits for this. */
function tellOfWork(app: FastifyInstance, queue: string): void {
  notify(app.db, CHANNELS.queueHasWork, queue).catch((error: unknown) => {
    app.log.warn({ err: error }, 'the dispatchers were not told of a replay; they poll');
  });
}
