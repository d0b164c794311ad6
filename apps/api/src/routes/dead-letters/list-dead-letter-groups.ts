import {
  type DeadLetterGroup,
  listDeadLetterGroups as readGroups,
} from '@accepted/shared/database/read-dead-letters';
import { publicId } from '@accepted/shared/job/id';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { filterFields, filterOfQuery, resolutionField } from './dead-letter-parameters.ts';
import { DeadLetterError } from './dead-letter-view.ts';

const Time = Type.String({ format: 'date-time' });

const Group = Type.Object(
  {
    fingerprint: Type.String(),
    count: Type.Integer(),
    oldestAt: Time,
    newestAt: Time,
    newest: Type.Object(
      {
        id: Type.String(),
        queue: Type.String(),
        type: Type.String(),
        reason: Type.String(),
        error: DeadLetterError,
      },
      { additionalProperties: false, description: 'The newest of them, as a sample.' },
    ),
  },
  { additionalProperties: false },
);

const options = needsScope('dead-letters', {
  summary: 'Group dead letters by their error',
  description: 'Alike errors have one fingerprint. The group with the newest dead letter comes first.',
  tags: ['dead-letters'],
  querystring: Type.Object(
    { ...pageParameters, ...filterFields, ...resolutionField },
    { additionalProperties: false },
  ),
  response: answers({ 200: { description: 'A page of groups.', schema: pageOf(Group) } }, ['invalid_cursor']),
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
