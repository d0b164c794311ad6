import type { FastifyPluginAsync } from 'fastify';
import { pauseAndResume } from '../rules/pause-and-resume.ts';
import { readTenant, Tenant, TenantIdParameter, tenantIdOf } from './tenant-view.ts';

/** `POST /v1/tenants/{id}/pause` and `/resume`. */
export const pauseTenant: FastifyPluginAsync = async (app) => {
  pauseAndResume<{ id: string }>(app, {
    url: '/v1/tenants/:id',
    name: 'Tenant',
    called: 'a tenant',
    tag: 'tenants',
    params: TenantIdParameter,
    view: Tenant,
    notFound: 'tenant_not_found',
    ruled: async ({ id }) => ({ what: 'tenant', key: tenantIdOf(id) }),
    show: (_request, { id }) => readTenant(app.db, tenantIdOf(id)),
  });
};
