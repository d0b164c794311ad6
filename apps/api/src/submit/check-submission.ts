import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import type { KnownJobType } from '../catalog/payload-checks.ts';
import { mergeFaults } from '../http/faults.ts';
import { type Fault, validationFailed } from '../http/problem.ts';
import type { InspectedPayload } from './inspect-payload.ts';
import type { JobRequest } from './job-request.ts';
import { findRequestFaults, priorityOf, queueOf } from './resolve-job.ts';

/** Gets the catalog for a request. Nearly always it is at hand and has all that the request names. */
export function catalogFor(catalog: Catalog, body: JobRequest): CatalogSnapshot | Promise<CatalogSnapshot> {
  const snapshot = catalog.atHand();
  return snapshot && hasAllOf(snapshot, body) ? snapshot : readCatalogFor(catalog, body);
}

/** A worker may have registered the type a moment ago, so a miss looks again. */
async function readCatalogFor(catalog: Catalog, body: JobRequest): Promise<CatalogSnapshot> {
  const snapshot = await catalog.read();
  return hasAllOf(snapshot, body) ? snapshot : catalog.readFresh();
}

function hasAllOf(snapshot: CatalogSnapshot, body: JobRequest): boolean {
  return snapshot.types.has(body?.type) && findQueueFaults(snapshot, body).length === 0;
}

/** A request that nothing is wrong with. */
export interface CheckedSubmission {
  jobType: CatalogType;
  payload: InspectedPayload;
}

/** Looks at a payload by the rules of its type: at once, or where that may take as long as it takes. */
export type InspectPayload = (
  known: KnownJobType,
  payload: unknown,
) => InspectedPayload | Promise<InspectedPayload>;

/** What a request is checked against. */
export interface Checks {
  snapshot: CatalogSnapshot;
  inspect: InspectPayload;
  now: Date;
  /** Throws where there is no room for a job that nothing seems to be wrong with: its payload need not be looked at then. */
  requireRoom: (job: { queue: string; priority: number }) => void;
}

/**
 * Finds the job type of a request and everything that is wrong with it, apart from `bodyFaults` that are known already.
 * Throws `validation_failed` with all faults. `body` may have any shape when it has faults.
 */
export function checkSubmission(
  { snapshot, inspect, now, requireRoom }: Checks,
  body: JobRequest,
  bodyFaults: Fault[],
): CheckedSubmission | Promise<CheckedSubmission> {
  const type = typeof body?.type === 'string' ? body.type : undefined;
  const known = type === undefined ? undefined : submittable(snapshot, type);
  const faults = [
    ...(type !== undefined && !known ? [{ pointer: '/type', detail: 'There is no such job type.' }] : []),
    ...findQueueFaults(snapshot, body),
    ...findRequestFaults(body, now),
  ];
  const conclude = (payload: InspectedPayload | undefined) => {
    const all = mergeFaults(bodyFaults, [...(payload?.faults ?? []), ...faults]);
    if (all.length > 0 || !known || !payload) throw validationFailed(all);
    return { jobType: known.row, payload };
  };
  if (known && bodyFaults.length + faults.length === 0)
    requireRoom({ queue: queueOf(body, known.row), priority: priorityOf(body) });
  const inspected = known && 'payload' in body ? inspect(known, body.payload) : undefined;
  return inspected instanceof Promise ? inspected.then(conclude) : conclude(inspected);
}

/** Deliveries are made by the ledger alone: a client's own would be signed with the tenant's secret. */
function submittable(snapshot: CatalogSnapshot, type: string) {
  return type === DELIVERY_TYPE ? undefined : snapshot.types.get(type);
}

function findQueueFaults(snapshot: CatalogSnapshot, body: JobRequest): Fault[] {
  if (typeof body?.queue !== 'string' || snapshot.queues.has(body.queue)) return [];
  return [{ pointer: '/queue', detail: 'No worker has registered a queue of this name.' }];
}
