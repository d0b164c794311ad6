import { listAuditLog as readAuditLog } from '@accepted/shared/database/audit-log';
import type { AuditRow } from '@accepted/shared/database/tables';
import { publicId } from '@accepted/shared/job/id';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { orNull, pageOf } from '../../schemas/shared-schemas.ts';

const Name = Type.String({ minLength: 1, maxLength: 200 });

const AuditEntry = Type.Object(
  {
    id: Type.String(),
    createdAt: Type.String({ format: 'date-time' }),
    actor: Type.String({ description: 'The id of an API key, or `bull-board` or `worker`.' }),
    action: Type.String({ description: 'Such as `dead_letter.replay`.' }),
    target: Type.String({ description: 'The id of what it was done to.' }),
    reason: orNull(Type.String()),
    detail: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);

const options = needsScope('admin', {
  summary: 'List the audit log',
  description: 'What was done by hand in your tenant, newest first.',
  tags: ['audit-log'],
  querystring: Type.Object(
    {
      ...pageParameters,
      action: Type.Optional(Name),
      actor: Type.Optional(Name),
      target: Type.Optional(Name),
    },
    { additionalProperties: false },
  ),
  response: answers({ 200: { description: 'A page of entries.', schema: pageOf(AuditEntry) } }, [
    'invalid_cursor',
  ]),
});

/** `GET /v1/audit-log`: who did what to what, when and why. */
export const listAuditLog: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/audit-log', options, async (request, reply) => {
    const { limit: _limit, cursor: _cursor, ...filter } = request.query;
    const page = readPage(request.query);
    const rows = await readAuditLog(app.db, request.caller.tenantId, filter, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: auditEntryView });
  });
};

function auditEntryView(row: AuditRow) {
  const { reason, ...detail } = row.detail;
  return {
    id: publicId('auditEntry', row.id),
    createdAt: row.created_at.toISOString(),
    actor: row.actor,
    action: row.action,
    target: row.target,
    reason: typeof reason === 'string' ? reason : null,
    detail,
  };
}
