import { listTenants as readTenants } from '@accepted/shared/ledger/tenants/read-tenants';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { PageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { Tenant, tenantView } from './tenant-view.ts';

const options = needsScope('operator', {
  summary: 'List the tenants',
  description: 'Newest first.',
  tags: ['tenants'],
  querystring: PageParameters,
  response: answers(
    { 200: { description: 'A page of tenants.', schema: pageOf(Tenant), headers: PAGE_HEADERS } },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/tenants`: all tenants of the installation. */
export const listTenants: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/tenants', options, async (request, reply) => {
    const page = readPage(request.query);
    const rows = await readTenants(app.db, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: tenantView });
  });
};
