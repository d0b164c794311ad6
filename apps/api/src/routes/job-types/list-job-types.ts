import type { CatalogType } from '@accepted/shared/database/catalog';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { orNull, pageOf } from '../../schemas/shared-schemas.ts';

const JobType = Type.Object(
  {
    type: Type.String(),
    queue: Type.String(),
    payloadSchema: Type.Unknown({ description: 'JSON Schema, draft 2020-12.' }),
    resultSchema: Type.Unknown({ description: 'JSON Schema, draft 2020-12, or `null`.' }),
    defaults: Type.Object({
      maxAttempts: Type.Integer(),
      backoff: Type.Unknown(),
      timeoutMs: Type.Integer(),
      concurrency: orNull(Type.Object({ limit: Type.Integer(), keyPointer: Type.Optional(Type.String()) })),
    }),
    registeredAt: Type.String({ format: 'date-time' }),
  },
  { additionalProperties: false },
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
