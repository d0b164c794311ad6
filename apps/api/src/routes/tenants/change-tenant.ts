import { asOperator } from '@accepted/shared/ledger/connection/as-tenant';
import { changeRules } from '@accepted/shared/ledger/limits/rules';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { askedBacklog, askedQuota, askedRate, Concurrency } from '../../schemas/rules.ts';
import { readTenant, Tenant, TenantIdParameter, tenantIdOf, Weight } from './tenant-view.ts';

const options = needsScope('operator', {
  summary: 'Change what holds for a tenant',
  description:
    'Over all queues. What is left out stays as it is. It is in force within a second, in every process.',
  tags: ['tenants'],
  params: TenantIdParameter,
  querystring: NoParameters,
  body: Type.Object(
    {
      weight: Weight,
      concurrency: Concurrency,
      maxBacklog: askedBacklog('it'),
      ...askedRate,
      dailyQuota: askedQuota,
      reason: Type.Optional(Reason),
    },
    { title: 'TenantChange', additionalProperties: false, examples: [{ weight: 4, concurrency: null }] },
  ),
  response: answers({ 200: { description: 'The tenant as it is now.', schema: Tenant } }, [
    ...BODY_PROBLEMS,
    'tenant_not_found',
  ]),
});

/** `PATCH /v1/tenants/{id}`: gives a tenant another share, or bounds what it may have. */
export const changeTenant: FastifyPluginAsyncTypebox = async (app) => {
  app.patch('/v1/tenants/:id', options, async ({ body, caller, params }) => {
    const ruled = { what: 'tenant', key: tenantIdOf(params.id) } as const;
    const { reason = NO_REASON, ...change } = body;
    const act = { actor: caller.keyId, verb: 'change', reason } as const;
    const rules = await asOperator(app.db, caller.tenantId, (tx) => changeRules(tx, ruled, change, act));
    if (!rules) throw new Problem('tenant_not_found');
    return await readTenant(app.db, ruled.key);
  });
};
