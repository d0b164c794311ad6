import { publicId } from '@accepted/shared/core/job/id';
import {
  type DeadLetterGroup,
  listDeadLetterGroups as readGroups,
} from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf, time } from '../../schemas/shared-schemas.ts';
import { filterFields, filterOfQuery, resolutionField } from './dead-letter-parameters.ts';
import { DeadLetterError } from './dead-letter-view.ts';

const Group = Type.Object(
  {
    fingerprint: Type.String({ description: 'The same for alike errors.' }),
    count: Type.Integer({ description: 'How many dead letters there are of it.' }),
    oldestAt: time('When the oldest of them died.'),
    newestAt: time('When the newest of them died.'),
    newest: Type.Object(
      {
        id: Type.String({ description: 'The id of the dead letter.' }),
        queue: Type.String({ description: 'The queue of its job.' }),
        type: Type.String({ description: 'The type of its job.' }),
        reason: Type.String({ description: 'Why its job died.' }),
        error: DeadLetterError,
      },
      { additionalProperties: false, description: 'The newest of them, as a sample.' },
    ),
  },
  { title: 'DeadLetterGroup', additionalProperties: false, description: 'Dead letters of alike errors.' },
);

const options = needsScope('dead-letters', {
  summary: 'Group dead letters by their error',
  description: 'Alike errors have one fingerprint. The group with the newest dead letter comes first.',
  tags: ['dead-letters'],
  querystring: Type.Object(
    { ...pageParameters, ...filterFields, ...resolutionField },
    { additionalProperties: false },
  ),
  response: answers(
    { 200: { description: 'A page of groups.', schema: pageOf(Group), headers: PAGE_HEADERS } },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/dead-letters/groups`: which errors there are, and how many jobs died of each. */
export const listDeadLetterGroups: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/dead-letters/groups', options, async (request, reply) => {
    const page = readPage(request.query);
    const groups = await readGroups(app.db, request.caller.tenantId, filterOfQuery(request.query), page);
    const rows = groups.map((group) => ({ id: group.newestId, group }));
    return answerPage(request, reply, { rows, limit: page.limit, view: ({ group }) => groupView(group) });
  });
};

function groupView({
  fingerprint,
  count,
  oldestAt,
  newestAt,
  newestId,
  queue,
  type,
  reason,
  error,
}: DeadLetterGroup) {
  const { code, message, retryable } = error;
  return {
    fingerprint,
    count,
    oldestAt: oldestAt.toISOString(),
    newestAt: newestAt.toISOString(),
    newest: {
      id: publicId('deadLetter', newestId),
      queue,
      type,
      reason,
      error: { code, message, retryable },
    },
  };
}
