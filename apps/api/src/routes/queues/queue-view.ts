import { type WaitSum, waitsByReason } from '@accepted/shared/core/fairness/waits-by-reason';
import { listRules, type QueueRules } from '@accepted/shared/ledger/limits/rules';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { Caller } from '../../admission/authentication.ts';
import { Problem } from '../../http/problem.ts';
import { rulesFields, shownBacklog, shownStartRate } from '../../schemas/rules.ts';
import { orNull } from '../../schemas/shared-schemas.ts';
import type { ReasonCode } from '../jobs/explanation-view.ts';
import { rulesView } from '../rules/rules-view.ts';
import type { QueueStatistics } from './queue-statistics.ts';

/** How far `sketchLines` counts. */
export const AS_FAR_AS_COUNTED =
  'Of the jobs that are due 50,000 are counted at most, in 1,000 lines: one for each tenant, type and priority, or concurrency key.';

const count = (what: string) => Type.Integer({ description: `Jobs that are ${what}, counted up to 50,000.` });

const queueFields = {
  name: Type.String({ description: 'The name of the queue.' }),
  depth: Type.Object(
    {
      queued: count('due'),
      scheduled: count('not due yet'),
      retrying: count('waiting for another attempt'),
      running: count('running'),
    },
    {
      description:
        "How many jobs are in it: your tenant's, or with the scope `operator` those of all tenants.",
    },
  ),
  oldestWaitMs: orNull(
    Type.Number({ description: 'How long the one of them that has been due the longest has waited.' }),
  ),
  finishedPerSecond: orNull(
    Type.Number({
      description:
        'Jobs of all tenants, as the live workers measured it last; `null` without the scope `operator`.',
    }),
  ),
  workers: Type.Object(
    {
      count: Type.Integer({ description: 'Live workers that take jobs.' }),
      concurrency: Type.Integer({ description: 'Jobs that they can run at once, all together.' }),
      slow: Type.Integer({
        description: 'Live workers that take none for a while, as they are far slower than the others.',
      }),
    },
    { description: 'Who works on it.' },
  ),
  ...rulesFields,
  ratePerSecond: shownStartRate,
  maxBacklog: shownBacklog('it'),
  maxBacklogPerTenant: shownBacklog('each tenant'),
};

export const Queue = Type.Object(queueFields, {
  title: 'Queue',
  additionalProperties: false,
  description: 'How busy a queue is, and what holds for it.',
});

export const QueueDetails = Type.Object(
  {
    ...queueFields,
    waiting: Type.Array(
      Type.Object({
        reason: Type.String({
          description:
            'As `code` of `GET /v1/jobs/{id}/explain`; `position` where jobs only wait for their turn, `in_delivery` where they are on their way to a worker.',
        }),
        jobs: Type.Integer({ description: `How many wait for that. ${AS_FAR_AS_COUNTED}` }),
      }),
      {
        description: 'Why the jobs that are due wait, each counted under its hardest reason; the most first.',
      },
    ),
  },
  {
    title: 'QueueDetails',
    additionalProperties: false,
    description: 'How busy a queue is, what holds for it, and why its jobs wait.',
  },
);

export const QueueParameter = Type.Object({ name: Type.String({ description: 'The name of a queue.' }) });

/** Reads the queues as a caller may see them: with its own tenant's jobs, or over all with the scope `operator`. */
export async function readQueues(app: FastifyInstance, caller: Caller) {
  const [queues, rules] = await Promise.all([readStatistics(app, caller), listRules(app.db, 'queue')]);
  return queues.map((queue) => queueView(queue, rules.get(queue.name)));
}

/** Reads one of them; throws a problem where there is no such queue. */
export async function readQueue(app: FastifyInstance, caller: Caller, name: string) {
  const [queues, rules] = await Promise.all([readStatistics(app, caller), listRules(app.db, 'queue')]);
  const queue = queues.find((one) => one.name === name);
  if (!queue) throw new Problem('queue_not_found');
  const outlook = await app.outlookOf(name);
  const lines = seesAll(caller) ? outlook.lines : await app.waitingLinesOf(name, caller.tenantId);
  const waits = waitsByReason(lines, outlook.conditions);
  return { ...queueView(queue, rules.get(name)), waiting: waitingView(waits, queue.inDelivery) };
}

const seesAll = ({ scopes }: Caller) => scopes.includes('operator');

function readStatistics(app: FastifyInstance, caller: Caller): Promise<QueueStatistics[]> {
  return seesAll(caller) ? app.readQueueStatistics() : app.readTenantShare(caller.tenantId);
}

interface WaitingView {
  reason: ReasonCode;
  jobs: number;
}

/** What is in the engine waits for nothing that the rules know of, and is queued all the same. */
function waitingView(waits: readonly WaitSum[], inDelivery: number): WaitingView[] {
  const all: WaitingView[] = waits.map(({ reason, jobs }) => ({ reason, jobs }));
  if (inDelivery > 0) all.push({ reason: 'in_delivery', jobs: inDelivery });
  return all.toSorted((one, other) => other.jobs - one.jobs);
}

function queueView(statistics: QueueStatistics, rules: QueueRules | undefined) {
  const { name, queued, scheduled, retrying, running, oldestWaitMs, finishedPerSecond } = statistics;
  return {
    name,
    depth: { queued, scheduled, retrying, running },
    oldestWaitMs,
    finishedPerSecond,
    workers: {
      count: statistics.workers,
      concurrency: statistics.concurrency,
      slow: statistics.slowWorkers,
    },
    ...rulesView(rules),
    ratePerSecond: rules?.ratePerSecond ?? null,
    maxBacklog: rules?.maxBacklog ?? null,
    maxBacklogPerTenant: rules?.maxBacklogPerTenant ?? null,
  };
}
