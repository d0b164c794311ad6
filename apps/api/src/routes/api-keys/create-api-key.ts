import { createApiKey as createInLedger } from '@accepted/shared/database/api-keys';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { missingScope } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { apiKeyFields, apiKeyView, ScopeList } from './api-key-view.ts';

const options = needsScope('admin', {
  summary: 'Create an API key',
  description:
    'It can have only scopes that your key has. The key is in this answer and nowhere else: only a hash of its secret is kept.',
  tags: ['api-keys'],
  querystring: NoParameters,
  body: Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 200, description: 'What to call it, for people.' }),
      scopes: ScopeList,
    },
    {
      title: 'ApiKeyRequest',
      additionalProperties: false,
      examples: [{ name: 'web shop', scopes: ['jobs:write', 'jobs:read'] }],
    },
  ),
  response: answers(
    {
      201: {
        description: 'The key, shown once.',
        schema: Type.Object(
          { ...apiKeyFields, key: Type.String({ description: 'The key itself, `acc_…`.' }) },
          { title: 'NewApiKey', additionalProperties: false, description: 'An API key with its secret.' },
        ),
      },
    },
    ['malformed_json', 'body_too_large', 'unsupported_media_type', 'validation_failed'],
  ),
});

/** `POST /v1/api-keys`: makes a key for the caller's tenant. */
export const createApiKey: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/api-keys', options, async (request, reply) => {
    const { tenantId, keyId, scopes } = request.caller;
    const beyond = request.body.scopes.find((scope) => !scopes.includes(scope));
    if (beyond)
      throw missingScope(beyond, `The API key lacks the scope ${beyond}, so it cannot give it away.`);
    const { row, text } = await createInLedger(app.db, { ...request.body, tenantId, actor: keyId });
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ ...apiKeyView(row), key: text });
  });
};
