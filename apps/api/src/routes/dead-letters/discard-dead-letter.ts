import { discardTenantsDeadLetter } from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { DeadLetterIdParameter, deadLetterNotFound, requestedDeadLetter } from './dead-letter-parameters.ts';
import { alreadyResolved } from './replay-dead-letter.ts';

const options = needsScope('dead-letters', {
  summary: 'Discard a dead letter',
  description: 'Closes it for good; the job stays `failed`. The dead letter can still be read.',
  tags: ['dead-letters'],
  params: DeadLetterIdParameter,
  querystring: Type.Object({ reason: Type.Optional(Reason) }, { additionalProperties: false }),
  response: answers({ 204: { description: 'It is discarded.' } }, [
    ...BODY_PROBLEMS,
    'dead_letter_not_found',
    'dead_letter_already_resolved',
  ]),
});

/** `DELETE /v1/dead-letters/{id}`: settles a dead letter without a replay. */
export const discardDeadLetter: FastifyPluginAsyncTypebox = async (app) => {
  app.delete('/v1/dead-letters/:id', options, async (request, reply) => {
    const act = { actor: request.caller.keyId, reason: request.query.reason ?? NO_REASON };
    const result = await discardTenantsDeadLetter(app.db, { ...requestedDeadLetter(request), act });
    if (!result) throw deadLetterNotFound();
    if (result.kind === 'alreadyResolved') throw alreadyResolved(result.resolution);
    return reply.code(204).send();
  });
};
