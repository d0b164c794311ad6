import { type JobView, jobView, newJobText } from '@accepted/shared/contract/job-view';
import { parsePublicId } from '@accepted/shared/core/job/id';
import type { JobListRow, ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import { type DeliveryRow, findDeliveries } from '@accepted/shared/ledger/webhooks/webhook-deliveries';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { jobETag } from '../../http/conditional.ts';
import { appliedPreferences, type Preferences } from '../../http/preferences.ts';
import { Problem } from '../../http/problem.ts';

/** Reads a job's id out of the path; an id of another form cannot be that of a job, so it answers 404. */
function jobIdOf(id: string): string {
  const uuid = parsePublicId('job', id);
  if (!uuid) throw jobNotFound();
  return uuid;
}

/** The same whether there is no such job or it is another tenant's: ids must not be probed. */
export function jobNotFound(): Problem {
  return new Problem('job_not_found');
}

/** Shows the job, with the headers that tell how to follow it. Its `deliveries` come from `deliveriesOf`. */
export function answerJob(
  app: FastifyInstance,
  reply: FastifyReply,
  row: ShownJob,
  deliveries: DeliveryRow[],
): JobView {
  const view = jobView(row, deliveries);
  const beside = [view.dispatchedAt ?? [], view.webhook?.deliveries ?? []].flat();
  tellHowToFollow(app, reply, row, jobETag(row.version, beside));
  return view;
}

/** Shows a job that was just accepted, with the same headers, as JSON. */
export function answerNewJob(app: FastifyInstance, reply: FastifyReply, row: ShownJob, id: string): string {
  tellHowToFollow(app, reply, row, jobETag(row.version));
  return newJobText(row, id);
}

/** Sets `ETag`, and `Retry-After` until the job is finished. */
function tellHowToFollow(app: FastifyInstance, reply: FastifyReply, row: ShownJob, etag: string): void {
  reply.header('etag', etag).header('cache-control', 'private, no-cache');
  const retryAfter = app.forecasts.retryAfterOf(row);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
}

/** Reads the deliveries of a job's webhook. Only a job that was finished once can have any; the others cost nothing. */
export async function deliveriesOf(app: FastifyInstance, row: ShownJob): Promise<DeliveryRow[]> {
  return mayHaveDeliveries(row)
    ? await app.sharedReads.deliveries({ tenantId: row.tenant_id, id: row.id })
    : [];
}

function mayHaveDeliveries(row: JobListRow): boolean {
  return row.webhook !== null && (row.finished_at !== null || row.replay_round > 0);
}

/** Reads the deliveries of many jobs of a tenant, by the id of the job: one statement, and none when there can be none. */
export async function deliveriesOfAll(
  app: FastifyInstance,
  tenantId: string,
  rows: JobListRow[],
): Promise<Map<string, DeliveryRow[]>> {
  const told = rows.filter(mayHaveDeliveries);
  if (told.length === 0) return new Map();
  return findDeliveries(
    app.db,
    tenantId,
    told.map(({ id }) => id),
  );
}

/**
 * Reads how long the caller wants to wait, in milliseconds, within what the server allows, and says what was applied: no
 * time at all when too many wait already.
 */
export function applyPreferences(
  { server, caller }: FastifyRequest,
  reply: FastifyReply,
  asked: Preferences,
  maxWaitSeconds: number,
): number {
  const mostSeconds = server.waitRoom.hasRoom(caller.tenantId) ? maxWaitSeconds : 0;
  const waitSeconds = asked.waitSeconds === undefined ? undefined : Math.min(asked.waitSeconds, mostSeconds);
  const applied = appliedPreferences(asked, waitSeconds);
  if (applied) reply.header('preference-applied', applied);
  return (waitSeconds ?? 0) * 1_000;
}

/** Names the job of a request for the ledger. */
export function requestedJob(request: FastifyRequest<{ Params: { id: string } }>): {
  tenantId: string;
  id: string;
} {
  return { tenantId: request.caller.tenantId, id: jobIdOf(request.params.id) };
}
