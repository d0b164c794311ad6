import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { CatalogSnapshot } from '../../plugins/catalog.ts';
import { openAnswers } from '../../schemas/describe-route.ts';

const schema = {
  summary: 'This API as OpenAPI 3.1',
  description: 'With the payload schema of every registered job type, as `Payload.<type>`.',
  tags: ['operations'],
  response: openAnswers({ 200: { description: 'The document.', schema: Type.Unknown() } }, []),
};

/** `GET /openapi.json`: the document that `/docs` shows and clients are generated from. */
export const getOpenApi: FastifyPluginAsyncTypebox<{ publicUrl: string }> = async (app, { publicUrl }) => {
  app.get('/openapi.json', { schema }, async (request) => {
    const document = app.swagger();
    const catalog = await app.catalog.read().catch((error: unknown) => {
      request.log.warn({ err: error }, 'the document goes without the catalog');
      return undefined;
    });
    const { components = {} } = document as { components?: { schemas?: object } };
    const schemas = { ...components.schemas, ...(catalog && payloadSchemas(catalog, publicUrl)) };
    return { ...document, components: { ...components, schemas } };
  });
};

/** An `$id` makes a schema a resource of its own, so that its `#/$defs/…` do not point into this document. */
function payloadSchemas({ types }: CatalogSnapshot, publicUrl: string): Record<string, object> {
  const entries = [...types.values()].map(({ row }) => {
    const $id = `${publicUrl}/schemas/payload/${encodeURIComponent(row.type)}`;
    return [`Payload.${row.type.replace(/[^A-Za-z0-9._-]/g, '_')}`, { $id, ...row.payloadSchema }];
  });
  return Object.fromEntries(entries);
}
