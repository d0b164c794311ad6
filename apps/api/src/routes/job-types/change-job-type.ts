import { asOperator } from '@accepted/shared/ledger/connection/as-tenant';
import { changeRules } from '@accepted/shared/ledger/limits/rules';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { askedStartRate, Concurrency } from '../../schemas/rules.ts';
import { JobType, JobTypeParameter, readJobType, registeredType } from './job-type-view.ts';

const options = needsScope('operator', {
  summary: 'Change what holds for a job type',
  description:
    'Over all queues and tenants. What is left out stays as it is. It is in force within a second, in every process.',
  tags: ['catalog'],
  params: JobTypeParameter,
  querystring: NoParameters,
  body: Type.Object(
    { concurrency: Concurrency, ratePerSecond: askedStartRate, reason: Type.Optional(Reason) },
    {
      title: 'JobTypeChange',
      additionalProperties: false,
      examples: [{ concurrency: 5, ratePerSecond: 20 }],
    },
  ),
  response: answers({ 200: { description: 'The job type as it is now.', schema: JobType } }, [
    ...BODY_PROBLEMS,
    'job_type_not_found',
  ]),
});

/** `PATCH /v1/job-types/{type}`: limits how many of its jobs are in flight and started a second, whatever their keys. */
export const changeJobType: FastifyPluginAsyncTypebox = async (app) => {
  app.patch('/v1/job-types/:type', options, async ({ body, caller, params }) => {
    const { type } = await registeredType(app, params.type);
    const { reason = NO_REASON, ...change } = body;
    const act = { actor: caller.keyId, verb: 'change', reason } as const;
    const ruled = { what: 'job_type', key: type } as const;
    await asOperator(app.db, caller.tenantId, (tx) => changeRules(tx, ruled, change, act));
    return await readJobType(app, type);
  });
};
