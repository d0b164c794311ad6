import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { JobType, readJobTypes } from './job-type-view.ts';

const options = needsEitherScope('jobs:read', 'operator', {
  summary: 'List the job types',
  description: 'Everything that workers have registered, with the JSON Schemas of payload and result.',
  tags: ['catalog'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'All job types.', schema: pageOf(JobType) } }, []),
});

/** `GET /v1/job-types`: the catalog. */
export const listJobTypes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/job-types', options, async () => wholePage(await readJobTypes(app)));
};
