import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { JobType, JobTypeParameter, readJobType } from './job-type-view.ts';

const options = needsEitherScope('jobs:read', 'operator', {
  summary: 'Get a job type',
  description: 'With the JSON Schemas of payload and result, and what operators have laid down for it.',
  tags: ['catalog'],
  params: JobTypeParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'The job type.', schema: JobType } }, ['job_type_not_found']),
});

/** `GET /v1/job-types/{type}`: one type of the catalog. */
export const getJobType: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/job-types/:type', options, ({ params }) => readJobType(app, params.type));
};
