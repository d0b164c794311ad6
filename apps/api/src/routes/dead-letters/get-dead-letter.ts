import { findDeadLetter } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { DeadLetterIdParameter, deadLetterNotFound, requestedDeadLetter } from './dead-letter-parameters.ts';
import { DeadLetter, deadLetterView } from './dead-letter-view.ts';

const options = needsScope('dead-letters', {
  summary: 'Get a dead letter',
  description: 'Everything that helps to find out why the job died, stacks and payload among it.',
  tags: ['dead-letters'],
  params: DeadLetterIdParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'The dead letter.', schema: DeadLetter } }, [
    'dead_letter_not_found',
  ]),
});

/** `GET /v1/dead-letters/{id}`: a dead letter with all that is known about it. */
export const getDeadLetter: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/dead-letters/:id', options, async (request, reply) => {
    const { tenantId, id } = requestedDeadLetter(request);
    const details = await findDeadLetter(app.db, tenantId, id);
    if (!details) throw deadLetterNotFound();
    reply.header('cache-control', 'private, no-store');
    return deadLetterView(details);
  });
};
