import { findStartRules, listRules, type StartRules } from '@accepted/shared/ledger/limits/rules';
import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { rulesFields, shownStartRate } from '../../schemas/rules.ts';
import { orNull, time } from '../../schemas/shared-schemas.ts';
import { rulesView } from '../rules/rules-view.ts';

const KeyConcurrency = Type.Object(
  {
    limit: Type.Integer({ description: 'How many jobs of one key run at once.' }),
    keyPointer: Type.Optional(
      Type.String({
        description: 'Where in the payload the key is (RFC 6901); without it the type is the key.',
      }),
    ),
  },
  {
    description:
      'How many run at once of those that have the same concurrency key; `null` where there is no limit.',
  },
);

export const JobType = Type.Object(
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
        concurrency: orNull(KeyConcurrency),
      },
      { description: 'What holds for a job that says nothing else.' },
    ),
    registeredAt: time('When a worker told of it last.'),
    ...rulesFields,
    ratePerSecond: shownStartRate,
  },
  { title: 'JobType', additionalProperties: false, description: 'A kind of job that workers can run.' },
);

export const JobTypeParameter = Type.Object({
  type: Type.String({ description: 'The name of a job type.' }),
});

/** Reads all job types that workers have registered, in the order of their names. */
export async function readJobTypes(app: FastifyInstance) {
  const [{ types }, rules] = await Promise.all([app.catalog.readFresh(), listRules(app.db, 'job_type')]);
  return [...types.values()].map(({ row }) => jobTypeView(row, rules.get(row.type)));
}

/** Reads one of them; throws a problem where there is no such type. */
export async function readJobType(app: FastifyInstance, type: string) {
  const row = await registeredType(app, type);
  return jobTypeView(row, await findStartRules(app.db, { what: 'job_type', key: type }));
}

/** Makes sure that a worker has registered the type. */
export async function registeredType(app: FastifyInstance, type: string): Promise<CatalogType> {
  const known = (await app.catalog.readFresh()).types.get(type);
  if (!known) throw new Problem('job_type_not_found');
  return known.row;
}

function jobTypeView(row: CatalogType, rules: StartRules | undefined) {
  const { maxAttempts, backoff, timeoutMs, concurrency = null } = row.defaults;
  return {
    type: row.type,
    queue: row.queue,
    payloadSchema: row.payloadSchema,
    resultSchema: row.resultSchema,
    defaults: { maxAttempts, backoff, timeoutMs, concurrency },
    registeredAt: row.registeredAt.toISOString(),
    ...rulesView(rules),
    ratePerSecond: rules?.ratePerSecond ?? null,
  };
}
