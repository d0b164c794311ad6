import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { varyBy } from '../../http/content-coding.ts';
import { openAnswers } from '../../schemas/describe-route.ts';
import { always } from '../../schemas/response-headers.ts';
import { link } from '../../schemas/shared-schemas.ts';
import { VERSION } from '../../version.ts';
import { indexPage } from './index-page.ts';

const Index = Type.Object(
  {
    name: Type.String({ description: 'What this is.' }),
    description: Type.String({ description: 'What it does.' }),
    version: Type.String({ description: 'The version of this server.' }),
    links: Type.Object(
      {
        jobs: link('Where jobs are submitted and listed.'),
        jobTypes: link('What can be submitted.'),
        docs: Type.Optional(link('The API, for people; where it is not closed.')),
        openapi: Type.Optional(link('The API, for generators of clients; where it is not closed.')),
        problems: link('What errors mean.'),
        health: link('Whether this server can take requests.'),
      },
      { title: 'IndexLinks', description: 'Where to go from here.' },
    ),
  },
  { title: 'Index', additionalProperties: false, description: 'What this server is, and where to go.' },
);

/** What this server is, and where to go. */
export interface Index {
  name: string;
  description: string;
  version: string;
  links: Record<string, string>;
}

const schema = {
  summary: 'What this is, and where to go',
  description: 'JSON, or a page for a browser, whichever `Accept` prefers.',
  tags: ['operations'],
  response: openAnswers(
    {
      200: {
        description: 'What this server is.',
        schema: Index,
        alternative: 'text/html',
        headers: { Vary: always('The answer depends on `Accept`.') },
      },
    },
    [],
  ),
};

/** `GET /`: tells whoever comes by chance what this is. */
export const getIndex: FastifyPluginAsyncTypebox<{ hasDocs: boolean }> = async (app, { hasDocs }) => {
  const index = describeServer(hasDocs);
  app.get('/', { schema }, async (request, reply) => {
    varyBy(reply, 'accept');
    reply.header('cache-control', 'no-cache');
    if (request.accepts().type(['json', 'html']) !== 'html') return index;
    return reply.type('text/html; charset=utf-8').send(indexPage(index));
  });
};

function describeServer(hasDocs: boolean): Index {
  return {
    name: 'Accepted',
    description: 'An async job platform: a 202 is a promise.',
    version: VERSION,
    links: {
      jobs: '/v1/jobs',
      jobTypes: '/v1/job-types',
      ...(hasDocs && { docs: '/docs', openapi: '/openapi.json' }),
      problems: '/problems',
      health: '/readyz',
    },
  };
}
