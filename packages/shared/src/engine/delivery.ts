import type { DispatchKey } from '../core/job/dispatch-key.ts';
import type { EngineJob } from './engine.ts';

/** A missing key must mean "not there", so nothing is kept when it is done. */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/**
 * What BullMQ holds of a delivery. A delivery has one job, or several that one worker is to take together; a dispatch is
 * in one delivery only.
 */
interface DeliveryData {
  dispatches: (DispatchKey & { traceparent?: string })[];
}

/** Makes the BullMQ job of a delivery, under its first job's type and id with the dispatch number: never all digits, no `:`. */
export function describeDelivery(jobs: EngineJob[], isAhead = false) {
  const [first] = jobs;
  if (!first) throw new Error('A delivery is for one job at least.');
  const data: DeliveryData = {
    dispatches: jobs.map(({ id, dispatchNo, traceparent }) => ({
      id,
      dispatchNo,
      ...(traceparent !== null && { traceparent }),
    })),
  };
  const name = jobs.length === 1 ? first.type : `${first.type} and ${jobs.length - 1} more`;
  const opts = { ...JOB_OPTIONS, jobId: keyText(first), ...(isAhead && { lifo: true }) };
  return { name, data, opts };
}

/** Reads which dispatches a delivery is for; none of one that this system did not make. */
export function readDelivery(data: unknown): DispatchKey[] {
  const { dispatches } = (data ?? {}) as Partial<DeliveryData>;
  if (!Array.isArray(dispatches)) return [];
  return dispatches.filter(isDispatchKey).map(({ id, dispatchNo }) => ({ id, dispatchNo }));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_DISPATCH_NO = 2 ** 31 - 1;

function isDispatchKey(value: unknown): value is DispatchKey {
  const { id, dispatchNo } = (value ?? {}) as Partial<Record<keyof DispatchKey, unknown>>;
  if (typeof id !== 'string' || !UUID.test(id)) return false;
  return Number.isInteger(dispatchNo) && Number(dispatchNo) > 0 && Number(dispatchNo) <= MAX_DISPATCH_NO;
}

export function keyText({ id, dispatchNo }: DispatchKey): string {
  return `${id}.${dispatchNo}`;
}
