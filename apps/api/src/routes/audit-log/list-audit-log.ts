import { publicId } from '@accepted/shared/core/job/id';
import type { AuditRow } from '@accepted/shared/ledger/connection/tables';
import { listWholeAuditLog, listAuditLog as readAuditLog } from '@accepted/shared/ledger/tenants/audit-log';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Caller } from '../../admission/authentication.ts';
import { namedTenant } from '../../admission/named-tenant.ts';
import { answerPage, readPage } from '../../http/page.ts';
import { invalidParameter } from '../../http/problem.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { orNull, pageOf, time } from '../../schemas/shared-schemas.ts';

const name = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });

const AuditEntry = Type.Object(
  {
    id: Type.String({ description: 'The id of the entry.' }),
    createdAt: time('When it was done.'),
    tenantId: orNull(
      Type.String({ description: 'Whom it concerns, `ten_…`; `null` where that is the whole installation.' }),
    ),
    actor: Type.String({ description: 'The id of an API key, or `bull-board`, `worker` or `add-tenant`.' }),
    action: Type.String({ description: 'Such as `dead_letter.replay`.' }),
    target: Type.String({
      description: 'The id of what it was done to, or the name of a queue or a job type.',
    }),
    reason: orNull(Type.String({ description: 'The reason that was given.' })),
    detail: Type.Record(Type.String(), Type.Unknown(), { description: 'More about it, by action.' }),
  },
  { title: 'AuditEntry', additionalProperties: false, description: 'Something that was done by hand.' },
);

const options = needsEitherScope('admin', 'operator', {
  summary: 'List the audit log',
  description:
    'What was done by hand in your tenant, newest first; with the scope `operator` in all tenants, and to the installation.',
  tags: ['audit-log'],
  querystring: Type.Object(
    {
      ...pageParameters,
      action: Type.Optional(name('Only this action.')),
      actor: Type.Optional(name('Only what this actor did.')),
      target: Type.Optional(name('Only what was done to this id, or to the queue or job type of this name.')),
      tenantId: Type.Optional(
        name('Only what concerns this tenant; any but your own needs the scope `operator`.'),
      ),
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
    const { limit: _limit, cursor: _cursor, tenantId: given, ...filter } = request.query;
    const page = readPage(request.query);
    const tenantId = tenantOfEntries(request.caller, given);
    const { db } = app;
    const rows = request.caller.scopes.includes('operator')
      ? await listWholeAuditLog(
          db,
          request.caller.tenantId,
          { ...filter, ...(tenantId && { tenantId }) },
          page,
        )
      : await readAuditLog(db, request.caller.tenantId, filter, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: auditEntryView });
  });
};

/** Answers which tenant's entries are asked for, by the ledger's id; `undefined` where none is named. */
function tenantOfEntries(caller: Caller, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const tenantId = namedTenant(caller, given);
  if (!tenantId) throw invalidParameter([{ pointer: '/query/tenantId', detail: 'There is no such tenant.' }]);
  return tenantId;
}

function auditEntryView(row: AuditRow) {
  const { reason, ...detail } = row.detail;
  return {
    id: publicId('auditEntry', row.id),
    createdAt: row.created_at.toISOString(),
    tenantId: row.tenant_id && publicId('tenant', row.tenant_id),
    actor: row.actor,
    action: row.action,
    target: row.target,
    reason: typeof reason === 'string' ? reason : null,
    detail,
  };
}
