import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { readTenant, Tenant, TenantIdParameter, tenantIdOf } from './tenant-view.ts';

const options = needsScope('operator', {
  summary: 'Get a tenant',
  tags: ['tenants'],
  params: TenantIdParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'The tenant.', schema: Tenant } }, ['tenant_not_found']),
});

/** `GET /v1/tenants/{id}`: one tenant. */
export const getTenant: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/tenants/:id', options, ({ params }) => readTenant(app.db, tenantIdOf(params.id)));
};
