import { listApiKeys as readApiKeys } from '@accepted/shared/ledger/tenants/api-keys';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { PageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { ApiKey, apiKeyView } from './api-key-view.ts';

const options = needsScope('admin', {
  summary: 'List API keys',
  description: 'Newest first, revoked ones too.',
  tags: ['api-keys'],
  querystring: PageParameters,
  response: answers(
    { 200: { description: 'A page of keys.', schema: pageOf(ApiKey), headers: PAGE_HEADERS } },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/api-keys`: the keys of the caller's tenant. */
export const listApiKeys: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/api-keys', options, async (request, reply) => {
    const page = readPage(request.query);
    const rows = await readApiKeys(app.db, request.caller.tenantId, page);
    return answerPage(request, reply, { rows, limit: page.limit, view: apiKeyView });
  });
};
