import type { SecretBox } from '@accepted/shared/core/secrets/secret-box';
import { findApiKey, insertApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { findTenant } from '@accepted/shared/ledger/tenants/read-tenants';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { namedTenant } from '../../admission/named-tenant.ts';
import { actOnce } from '../../http/act-once.ts';
import { missingScope, Problem, validationFailed } from '../../http/problem.ts';
import { answersOnce, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { askedRate } from '../../schemas/rules.ts';
import { apiKeyFields, apiKeyView, KeysTenant, ScopeList } from './api-key-view.ts';

const options = needsEitherScope('admin', 'operator', {
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
      tenantId: KeysTenant,
      ...askedRate,
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

/** `POST /v1/api-keys`: makes a key for the caller's tenant, or for the one that an operator names. */
export const createApiKey: FastifyPluginAsyncTypebox<{ secretBox: SecretBox }> = async (
  app,
  { secretBox },
) => {
  app.post('/v1/api-keys', options, async (request, reply) => {
    const { caller, body } = request;
    const beyond = body.scopes.find((scope) => !caller.scopes.includes(scope));
    if (beyond)
      throw missingScope(beyond, `The API key lacks the scope ${beyond}, so it cannot give it away.`);
    const { name, scopes, ratePerSecond = null, burst = null } = body;
    const tenantId = body.tenantId === undefined ? caller.tenantId : namedTenant(caller, body.tenantId);
    const isAnothers = tenantId !== caller.tenantId;
    const { status, made } = await actOnce(request, reply, {
      async act(tx) {
        if (!tenantId || (isAnothers && !(await findTenant(tx, tenantId)))) throw noSuchTenant();
        const made = await insertApiKey(tx, {
          ...{ name, scopes, tenantId, ratePerSecond, burst },
          actor: caller.keyId,
        });
        return { status: 201, made };
      },
      keep: ({ row, text }) => ({ id: row.id, sealedKey: secretBox.seal(text, placeOf(row.id)) }),
      async recall({ id, sealedKey }) {
        const row = await findApiKey(app.db, id);
        if (!row) throw new Problem('api_key_not_found');
        return { row, text: secretBox.open(sealedKey, placeOf(id)) };
      },
      isPrivate: true,
      isOperators: isAnothers,
    });
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .send({ ...apiKeyView(made.row), key: made.text });
  });
};

function noSuchTenant(): Problem {
  return validationFailed([{ pointer: '/tenantId', detail: 'There is no such tenant.' }]);
}

function placeOf(apiKeyId: string): string {
  return `idempotency_keys.answer ${apiKeyId}`;
}
