import { DELIVERY_TYPE } from '@accepted/shared/webhook/event';
import { type Fault, validationFailed } from '../http/problem.ts';
import type { Catalog, CatalogSnapshot } from '../plugins/catalog.ts';
import type { JobRequest } from './job-request.ts';
import type { KnownJobType } from './payload-checks.ts';
import { findRequestFaults } from './resolve-job.ts';

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

/**
 * Finds the job type of a request and everything that is wrong with it, apart from `bodyFaults` that are known already.
 * Throws `validation_failed` with all faults. `body` may have any shape when it has faults.
 */
export function checkSubmission(
  snapshot: CatalogSnapshot,
  body: JobRequest,
  bodyFaults: Fault[],
  now: Date,
): KnownJobType {
  const type = typeof body?.type === 'string' ? body.type : undefined;
  const jobType = type === undefined ? undefined : submittable(snapshot, type);
  const found = [
    ...(type !== undefined && !jobType ? [{ pointer: '/type', detail: 'There is no such job type.' }] : []),
    ...(jobType && 'payload' in body ? jobType.findPayloadFaults(body.payload) : []),
    ...findQueueFaults(snapshot, body),
    ...findRequestFaults(body, now),
  ];
  const known = new Set(bodyFaults.map((fault) => fault.pointer));
  const faults = [...bodyFaults, ...found.filter((fault) => !known.has(fault.pointer))];
  if (faults.length > 0 || !jobType) throw validationFailed(faults);
  return jobType;
}

/** Deliveries are made by the ledger alone: a client's own would be signed with the tenant's secret. */
function submittable(snapshot: CatalogSnapshot, type: string) {
  return type === DELIVERY_TYPE ? undefined : snapshot.types.get(type);
}

function findQueueFaults(snapshot: CatalogSnapshot, body: JobRequest): Fault[] {
  if (typeof body?.queue !== 'string' || snapshot.queues.has(body.queue)) return [];
  return [{ pointer: '/queue', detail: 'No worker has registered a queue of this name.' }];
}
