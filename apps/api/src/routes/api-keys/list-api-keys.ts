import { listApiKeys as readApiKeys } from '@accepted/shared/ledger/tenants/api-keys';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { namedTenant } from '../../admission/named-tenant.ts';
import { answerPage, readPage } from '../../http/page.ts';
import { invalidParameter } from '../../http/problem.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { ApiKey, apiKeyView, KeysTenant } from './api-key-view.ts';

const options = needsEitherScope('admin', 'operator', {
  summary: 'List API keys',
  description: 'Newest first, revoked ones too.',
  tags: ['api-keys'],
  querystring: Type.Object({ ...pageParameters, tenantId: KeysTenant }, { additionalProperties: false }),
  response: answers(
    { 200: { description: 'A page of keys.', schema: pageOf(ApiKey), headers: PAGE_HEADERS } },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/api-keys`: the keys of the caller's tenant, or of the one that an operator names. */
export const listApiKeys: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/api-keys', options, async (request, reply) => {
    const page = readPage(request.query);
    const { caller, query } = request;
    const tenantId = query.tenantId === undefined ? caller.tenantId : namedTenant(caller, query.tenantId);
    if (!tenantId)
      throw invalidParameter([{ pointer: '/query/tenantId', detail: 'There is no such tenant.' }]);
    const rows = await readApiKeys(app.db, tenantId, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: apiKeyView });
  });
};
