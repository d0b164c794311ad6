import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { openAnswers } from '../../schemas/describe-route.ts';

const schema = {
  summary: 'Is the process alive',
  description: 'Depends on nothing: a database that is away is no reason to restart this process.',
  tags: ['operations'],
  response: openAnswers(
    {
      200: {
        description: 'It is.',
        schema: Type.Object({ status: Type.Literal('alive', { description: 'Always this.' }) }),
      },
    },
    [],
  ),
};

/** `GET /livez`: tells a supervisor that the event loop turns. */
export const getLivez: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/livez', { schema, logLevel: 'warn' }, async () => ({ status: 'alive' }));
};
