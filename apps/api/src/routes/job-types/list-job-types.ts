import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { orNull, pageOf, time } from '../../schemas/shared-schemas.ts';

const Concurrency = Type.Object(
  {
    limit: Type.Integer({ description: 'How many jobs of one key run at once.' }),
    keyPointer: Type.Optional(
      Type.String({
        description: 'Where in the payload the key is (RFC 6901); without it the type is the key.',
      }),
    ),
  },
  { description: 'How many run at once; `null` where there is no limit.' },
);

const JobType = Type.Object(
  {
    type: Type.String({ description: 'What to submit jobs as.' }),
    queue: Type.String({ description: 'Where its jobs wait unless they say otherwise.' }),
    payloadSchema: Type.Unknown({ description: 'JSON Schema, draft 2020-12.' }),
    resultSchema: Type.Unknown({ description: 'JSON Schema, draft 2020-12, or `null`.' }),
    defaults: Type.Object(
      {
        maxAttempts: Type.Integer({ description: 'Attempts that a job gets.' }),
        backoff: Type.Unknown({ description: 'How long to wait between them, as `retry.backoff` of a job.' }),
        timeoutMs: Type.Integer({ description: 'How long one attempt may take.' }),
        concurrency: orNull(Concurrency),
      },
      { description: 'What holds for a job that says nothing else.' },
    ),
    registeredAt: time('When a worker told of it last.'),
  },
  { title: 'JobType', additionalProperties: false, description: 'A kind of job that workers can run.' },
);

const options = needsScope('jobs:read', {
  summary: 'List the job types',
  description: 'Everything that workers have registered, with the JSON Schemas of payload and result.',
  tags: ['catalog'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'All job types.', schema: pageOf(JobType) } }, []),
});

/** `GET /v1/job-types`: the catalog. */
export const listJobTypes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/job-types', options, async () => {
    const { types } = await app.catalog.readFresh();
    return wholePage([...types.values()].map(({ row }) => jobTypeView(row)));
  });
};

function jobTypeView(row: CatalogType) {
  const { maxAttempts, backoff, timeoutMs, concurrency = null } = row.defaults;
  return {
    type: row.type,
    queue: row.queue,
    payloadSchema: row.payloadSchema,
    resultSchema: row.resultSchema,
    defaults: { maxAttempts, backoff, timeoutMs, concurrency },
    registeredAt: row.registeredAt.toISOString(),
  };
}
