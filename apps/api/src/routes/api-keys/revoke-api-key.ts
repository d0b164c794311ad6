import { findApiKey, revokeApiKey as revokeInLedger } from '@accepted/shared/ledger/tenants/api-keys';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, BODY_PROBLEMS, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { ApiKey, apiKeyIdOf, apiKeyView } from './api-key-view.ts';

const options = needsEitherScope('admin', 'operator', {
  summary: 'Revoke an API key',
  description:
    'For good. It holds at once here and within 5 seconds on other servers; revoking again changes nothing. ' +
    'The last key with the scope `admin` cannot be revoked: make another one first.',
  tags: ['api-keys'],
  params: Type.Object({ id: Type.String({ description: 'The id of a key: `key_…`.' }) }),
  querystring: NoParameters,
  response: answers({ 200: { description: 'The revoked key.', schema: ApiKey } }, [
    ...BODY_PROBLEMS,
    'api_key_not_found',
    'last_admin_key',
  ]),
});

/** `DELETE /v1/api-keys/{id}`: ends a key of the caller's tenant, or for an operator of any; its row stays, for the audit. */
export const revokeApiKey: FastifyPluginAsyncTypebox = async (app) => {
  app.delete('/v1/api-keys/:id', options, async (request) => {
    const { caller } = request;
    const id = apiKeyIdOf(request.params.id);
    const key = caller.scopes.includes('operator') ? await findApiKey(app.db, id) : undefined;
    const tenantId = key?.tenant_id ?? caller.tenantId;
    const result = await revokeInLedger(app.db, { tenantId, id, actor: caller.keyId });
    if (!result) throw new Problem('api_key_not_found');
    if (result.isLastAdmin) throw new Problem('last_admin_key');
    app.forgetApiKey(id);
    return apiKeyView(result.row);
  });
};
