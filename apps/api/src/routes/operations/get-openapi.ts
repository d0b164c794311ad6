import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { openAnswers } from '../../schemas/describe-route.ts';

const schema = {
  summary: 'This API as OpenAPI 3.1',
  tags: ['operations'],
  response: openAnswers({ 200: { description: 'The document.', schema: Type.Unknown() } }, []),
};

/** `GET /openapi.json`: the document that `/docs` shows and clients are generated from. */
export const getOpenApi: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/openapi.json', { schema }, async () => app.swagger());
};
