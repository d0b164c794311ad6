import { type ReplayResult, replayTenantsDeadLetter } from '@accepted/shared/database/act-on-dead-letters';
import { CHANNELS, notify } from '@accepted/shared/database/notifications';
import { findDeadLetter } from '@accepted/shared/database/read-dead-letters';
import { findJob } from '@accepted/shared/database/read-jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { allowNoBody } from '../../http/optional-body.ts';
import { Problem } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { answerJob, deliveriesOf, jobNotFound } from '../jobs/answer-job.ts';
import {
  DeadLetterIdParameter,
  deadLetterNotFound,
  NO_REASON,
  Reason,
  requestedDeadLetter,
} from './dead-letter-parameters.ts';
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
  querystring: NoParameters,
  body: Body,
  'x-optional-body': true,
  response: answers(
    {
      202: {
        description: 'The job is queued again.',
        schema: Type.Ref('Job'),
        headers: { Location: 'Where to follow the job.' },
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
      const { tenantId, id } = requestedDeadLetter(request);
      const { body } = request;
      const edit = 'payload' in body ? await readEdit(app, tenantId, id, body.payload) : undefined;
      const act = { actor: request.caller.keyId, reason: body.reason ?? NO_REASON };
      const result = await replayTenantsDeadLetter(app.db, { tenantId, id, act, ...(edit && { edit }) });
      const { jobId, queue } = replayed(result);
      announce(app, queue);
      const row = await findJob(app.db, tenantId, jobId);
      if (!row) throw jobNotFound();
      const view = answerJob(app, reply, row, await deliveriesOf(app, row));
      return reply.code(202).header('location', view.links.self).send(view);
    },
  );
};

async function readEdit(app: FastifyInstance, tenantId: string, id: string, payload: unknown) {
  const details = await findDeadLetter(app.db, tenantId, id);
  if (!details) throw deadLetterNotFound();
  const { resolution } = details.letter;
  if (resolution) throw alreadyResolved(resolution);
  const inspect = app.inspectPayloadsOf(tenantId);
  return checkEditedPayload({ catalog: app.catalog, inspect }, details, payload);
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
function announce(app: FastifyInstance, queue: string): void {
  notify(app.db, CHANNELS.jobReady, queue).catch((error: unknown) => {
    app.log.warn({ err: error }, 'a replay was not announced; the dispatchers poll');
  });
}
