import type { SecretBox } from '@accepted/shared/core/secrets/secret-box';
import { findTenant } from '@accepted/shared/ledger/tenants/read-tenants';
import { insertTenant } from '@accepted/shared/ledger/tenants/tenants';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { Problem } from '../../http/problem.ts';
import { answersOnce, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { always } from '../../schemas/response-headers.ts';
import { askedBacklog, askedQuota, askedRate, Concurrency } from '../../schemas/rules.ts';
import { tenantFields, tenantView, Weight } from './tenant-view.ts';

const NewTenant = Type.Object(
  {
    ...tenantFields,
    webhookSecret: Type.String({ description: 'What its webhooks are signed with, `whsec_…`.' }),
  },
  { title: 'NewTenant', additionalProperties: false, description: 'A tenant with its secret.' },
);

const options = needsScope('operator', {
  summary: 'Create a tenant',
  description:
    'It has no key yet: `POST /v1/api-keys` with its `tenantId` makes one. The secret that signs its webhooks is in this answer and nowhere ' +
    'else. With `Idempotency-Key` it is kept sealed for 24 hours, for the API key that made the tenant to be told again.',
  tags: ['tenants'],
  headers: KeyHeader,
  querystring: NoParameters,
  body: Type.Object(
    {
      name: Type.String({
        maxLength: 200,
        pattern: '\\S',
        description: 'What to call it; no other tenant may have this name.',
      }),
      weight: Weight,
      concurrency: Concurrency,
      maxBacklog: askedBacklog('it'),
      ...askedRate,
      dailyQuota: askedQuota,
      reason: Type.Optional(Reason),
    },
    { title: 'TenantRequest', additionalProperties: false, examples: [{ name: 'acme', weight: 2 }] },
  ),
  response: answersOnce(
    {
      201: {
        description: 'The tenant, with its secret.',
        schema: NewTenant,
        headers: { Location: always('Where the tenant is.') },
      },
    },
    [...BODY_PROBLEMS, 'tenant_name_taken'],
  ),
});

/** `POST /v1/tenants`: adds a tenant to the installation. */
export const createTenant: FastifyPluginAsyncTypebox<{ secretBox: SecretBox }> = async (
  app,
  { secretBox },
) => {
  app.post('/v1/tenants', options, async (request, reply) => {
    const { reason = NO_REASON, ...tenant } = request.body;
    const by = { actor: request.caller.keyId, reason };
    const { status, made } = await actOnce(request, reply, {
      async act(tx) {
        const made = await insertTenant(tx, secretBox, tenant, by);
        if (!made) throw new Problem('tenant_name_taken');
        return { status: 201, made };
      },
      keep: ({ row, webhookSecret }) => ({
        id: row.id,
        sealedSecret: secretBox.seal(webhookSecret, placeOf(row.id)),
      }),
      async recall({ id, sealedSecret }) {
        const row = await findTenant(app.db, id);
        if (!row) throw new Problem('tenant_not_found');
        return { row, webhookSecret: secretBox.open(sealedSecret, placeOf(id)) };
      },
      isPrivate: true,
      isOperators: true,
    });
    const view = tenantView(made.row);
    return reply
      .code(status)
      .headers({ 'cache-control': 'no-store', location: `/v1/tenants/${view.id}` })
      .send({ ...view, webhookSecret: made.webhookSecret });
  });
};

function placeOf(tenantId: string): string {
  return `idempotency_keys.answer ${tenantId}`;
}
