import { asOperator } from '@accepted/shared/ledger/connection/as-tenant';
import { changeRules } from '@accepted/shared/ledger/limits/rules';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { askedBacklog, askedStartRate, Concurrency } from '../../schemas/rules.ts';
import { QueueDetails, QueueParameter, readQueue } from './queue-view.ts';

const options = needsScope('operator', {
  summary: 'Change what holds for a queue',
  description: 'What is left out stays as it is. It is in force within a second, in every process.',
  tags: ['catalog'],
  params: QueueParameter,
  querystring: NoParameters,
  body: Type.Object(
    {
      concurrency: Concurrency,
      ratePerSecond: askedStartRate,
      maxBacklog: askedBacklog('it'),
      maxBacklogPerTenant: askedBacklog('each tenant'),
      reason: Type.Optional(Reason),
    },
    {
      title: 'QueueChange',
      additionalProperties: false,
      examples: [{ concurrency: 20, maxBacklog: 50_000 }],
    },
  ),
  response: answers({ 200: { description: 'The queue as it is now.', schema: QueueDetails } }, [
    ...BODY_PROBLEMS,
    'queue_not_found',
  ]),
});

/** `PATCH /v1/queues/{name}`: limits how many of its jobs are in flight and started a second, and how many there are. */
export const changeQueue: FastifyPluginAsyncTypebox = async (app) => {
  app.patch('/v1/queues/:name', options, async ({ body, caller, params }) => {
    const { reason = NO_REASON, ...change } = body;
    const act = { actor: caller.keyId, verb: 'change', reason } as const;
    const ruled = { what: 'queue', key: params.name } as const;
    const rules = await asOperator(app.db, caller.tenantId, (tx) => changeRules(tx, ruled, change, act));
    if (!rules) throw new Problem('queue_not_found');
    return await readQueue(app, caller, params.name);
  });
};
