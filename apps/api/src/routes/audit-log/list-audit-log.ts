import { publicId } from '@accepted/shared/core/job/id';
import type { AuditRow } from '@accepted/shared/ledger/connection/tables';
import { listAuditLog as readAuditLog } from '@accepted/shared/ledger/tenants/audit-log';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { orNull, pageOf, time } from '../../schemas/shared-schemas.ts';

const name = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });

const AuditEntry = Type.Object(
  {
    id: Type.String({ description: 'The id of the entry.' }),
    createdAt: time('When it was done.'),
    actor: Type.String({ description: 'The id of an API key, or `bull-board`, `worker` or `add-tenant`.' }),
    action: Type.String({ description: 'Such as `dead_letter.replay`.' }),
    target: Type.String({ description: 'The id of what it was done to.' }),
    reason: orNull(Type.String({ description: 'The reason that was given.' })),
    detail: Type.Record(Type.String(), Type.Unknown(), { description: 'More about it, by action.' }),
  },
  { title: 'AuditEntry', additionalProperties: false, description: 'Something that was done by hand.' },
);

const options = needsScope('admin', {
  summary: 'List the audit log',
  description: 'What was done by hand in your tenant, newest first.',
  tags: ['audit-log'],
  querystring: Type.Object(
    {
      ...pageParameters,
      action: Type.Optional(name('Only this action.')),
      actor: Type.Optional(name('Only what this actor did.')),
      target: Type.Optional(name('Only what was done to this id.')),
    },
    { additionalProperties: false },
  ),
  response: answers(
    { 200: { description: 'A page of entries.', schema: pageOf(AuditEntry), headers: PAGE_HEADERS } },
    ['invalid_cursor'],
  ),
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
