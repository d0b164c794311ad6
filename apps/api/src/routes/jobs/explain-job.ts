import { explainWait } from '@accepted/shared/core/fairness/explain-wait';
import type { StartEstimate } from '@accepted/shared/core/fairness/start-estimate';
import { publicId } from '@accepted/shared/core/job/id';
import { isTerminal } from '@accepted/shared/core/job/status';
import { breakerTargetOf, CALLING_TYPES } from '@accepted/shared/core/outbound/breaker-target';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import { findWaitingJob, type WaitingJob } from '@accepted/shared/ledger/jobs/waiting-job';
import { findBreaker } from '@accepted/shared/ledger/outbound/breakers';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { QueueLook } from '../../forecasts/queue-looks.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { JobIdParameter, NoParameters } from '../../schemas/parameters.ts';
import { jobNotFound, requestedJob } from './answer-job.ts';
import { JobExplanation, type ReasonView, reasonView } from './explanation-view.ts';

const options = needsScope('jobs:read', {
  summary: 'Explain why a job has not started',
  description:
    'Every reason that holds it up, and when it is likely to start, by the very rules that decide, but for the share of the slots that a tenant may have; what is told of a queue is a second old at most.',
  tags: ['jobs'],
  params: JobIdParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'Why it is where it is.', schema: JobExplanation } }, [
    'job_not_found',
  ]),
});

/** `GET /v1/jobs/{id}/explain`: why a job waits, and for how long. */
export const explainJob: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/jobs/:id/explain', options, async (request, reply) => {
    const { tenantId, id } = requestedJob(request);
    const row = await findJob(app.db, tenantId, id);
    if (!row) throw jobNotFound();
    reply.header('cache-control', 'private, no-cache');
    const { reasons, estimate } = await explain(app, row);
    return { status: row.status, reasons, estimate: estimate && estimateView(estimate) };
  });
};

type Estimate = Pick<StartEstimate, 'startsInMs' | 'p90Ms'>;

const estimateView = ({ startsInMs, p90Ms }: Estimate): Estimate => ({ startsInMs, p90Ms });

interface Explanation {
  reasons: ReasonView[];
  estimate: Estimate | null;
}

async function explain(app: FastifyInstance, row: ShownJob): Promise<Explanation> {
  if (isTerminal(row.status)) return { reasons: [reasonView('finished')], estimate: null };
  switch (row.status) {
    case 'running':
      return { reasons: [reasonView('running')], estimate: null };
    default: {
      const explained = await explainWaiting(app, row);
      const held = await heldByBreaker(app, row);
      return held ? { reasons: [held, ...explained.reasons], estimate: null } : explained;
    }
  }
}

/** What its workers find when they have claimed it, whatever it waits for until then. */
async function heldByBreaker(
  { db }: FastifyInstance,
  { tenant_id: tenantId, type, payloadJson }: ShownJob,
): Promise<ReasonView | undefined> {
  if (!CALLING_TYPES.includes(type)) return undefined;
  const target = breakerTargetOf({ tenantId, type, payload: JSON.parse(payloadJson) });
  const breaker = target && (await findBreaker(db, target));
  if (!breaker) return undefined;
  return reasonView('breaker_open', { target: breaker.target, until: breaker.openUntil.toISOString() });
}

async function explainWaiting(app: FastifyInstance, row: ShownJob): Promise<Explanation> {
  switch (row.status) {
    case 'scheduled':
      return untilDue(row, reasonView('scheduled', { until: row.run_at.toISOString() }));
    case 'retrying': {
      const until = row.run_at.toISOString();
      // One that was held has not failed.
      const isHeld = row.error === null;
      return untilDue(
        row,
        isHeld ? reasonView('scheduled', { until }) : reasonView('backoff', { until, error: row.error }),
      );
    }
    default: {
      const waiting =
        row.dispatched_at === null ? await findWaitingJob(app.db, row.tenant_id, row.id) : undefined;
      const look = await app.forecasts.lookAt(row.queue);
      // Whoever finds it nowhere looks just while it is moved.
      if (!waiting)
        return { reasons: [reasonView('in_delivery')], estimate: look.forecast.startInDelivery() ?? null };
      return shownWait(row, waiting, look);
    }
  }
}

function untilDue({ run_at }: ShownJob, reason: ReasonView): Explanation {
  const ms = Math.max(0, run_at.getTime() - Date.now());
  return { reasons: [reason], estimate: { startsInMs: ms, p90Ms: ms } };
}

function shownWait(row: ShownJob, waiting: WaitingJob, look: QueueLook): Explanation {
  const explained = explainWait(waiting, look.outlook);
  if ('ahead' in explained)
    return {
      reasons: [reasonView('position', explained)],
      estimate: estimateOf(row, waiting, explained, look),
    };
  const heldBy = waiting.holderIds.map((id) => publicId('job', id));
  const reasons = explained.codes.map((code) =>
    reasonView(code, code === 'concurrency_key_full' ? { heldBy } : {}),
  );
  return { reasons, estimate: null };
}

/** As who comes now is told, but by where the job stands, as far as that was counted. */
function estimateOf(
  { tenant_id: tenantId, priority, run_at }: ShownJob,
  { before }: WaitingJob,
  { ahead, isAtLeast }: { ahead: number; isAtLeast: boolean },
  { forecast }: QueueLook,
): Estimate | null {
  const nowMs = performance.now();
  const placedAtMs = isAtLeast ? nowMs - Math.max(0, Date.now() - run_at.getTime()) : undefined;
  return forecast.startOf({ tenantId, priority, before, ahead, placedAtMs }, nowMs) ?? null;
}
