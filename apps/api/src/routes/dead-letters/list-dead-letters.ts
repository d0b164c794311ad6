import { listDeadLetters as readDeadLetters } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { filterFields, filterOfQuery, resolutionField } from './dead-letter-parameters.ts';
import { DeadLetterSummary, deadLetterSummary } from './dead-letter-view.ts';

const options = needsScope('dead-letters', {
  summary: 'List dead letters',
  description: 'Newest first; the open ones unless `resolution` says otherwise.',
  tags: ['dead-letters'],
  querystring: Type.Object(
    { ...pageParameters, ...filterFields, ...resolutionField },
    { additionalProperties: false },
  ),
  response: answers(
    {
      200: {
        description: 'A page of dead letters.',
        schema: pageOf(DeadLetterSummary),
        headers: PAGE_HEADERS,
      },
    },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/dead-letters`: what failed for good in the caller's tenant. */
export const listDeadLetters: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/dead-letters', options, async (request, reply) => {
    const page = readPage(request.query);
    const filter = filterOfQuery(request.query);
    const rows = await readDeadLetters(app.db, request.caller.tenantId, filter, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: deadLetterSummary });
  });
};
