import type { SecretBox } from '@accepted/shared/core/secrets/secret-box';
import { createApiKey as createInLedger, findApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { missingScope, Problem } from '../../http/problem.ts';
import { answersOnce, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { apiKeyFields, apiKeyView, ScopeList } from './api-key-view.ts';

const options = needsScope('admin', {
  summary: 'Create an API key',
  description:
    'It can have only scopes that your key has. The key is in this answer and nowhere else: only a hash of its secret is kept. ' +
    'With `Idempotency-Key` it is kept sealed for 24 hours, for the API key that made it to be told again.',
  tags: ['api-keys'],
  headers: KeyHeader,
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
  response: answersOnce(
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
export const createApiKey: FastifyPluginAsyncTypebox<{ secretBox: SecretBox }> = async (
  app,
  { secretBox },
) => {
  app.post('/v1/api-keys', options, async (request, reply) => {
    const { tenantId, keyId, scopes } = request.caller;
    const beyond = request.body.scopes.find((scope) => !scopes.includes(scope));
    if (beyond)
      throw missingScope(beyond, `The API key lacks the scope ${beyond}, so it cannot give it away.`);
    const { status, made } = await actOnce(request, reply, {
      act: async (tx) => ({
        status: 201,
        made: await createInLedger(tx, { ...request.body, tenantId, actor: keyId }),
      }),
      keep: ({ row, text }) => ({ id: row.id, sealedKey: secretBox.seal(text, placeOf(row.id)) }),
      async recall({ id, sealedKey }) {
        const row = await findApiKey(app.db, id);
        if (!row) throw new Problem('api_key_not_found');
        return { row, text: secretBox.open(sealedKey, placeOf(id)) };
      },
      isPrivate: true,
    });
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .send({ ...apiKeyView(made.row), key: made.text });
  });
};

function placeOf(apiKeyId: string): string {
  return `idempotency_keys.answer ${apiKeyId}`;
}
