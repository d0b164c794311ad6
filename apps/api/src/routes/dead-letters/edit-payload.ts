import type { PayloadEdit } from '@accepted/shared/database/act-on-dead-letters';
import type { CatalogType } from '@accepted/shared/database/catalog';
import type { DeadLetterDetails } from '@accepted/shared/database/read-dead-letters';
import { DELIVERY_TYPE } from '@accepted/shared/webhook/event';
import { type Fault, validationFailed } from '../../http/problem.ts';
import type { Catalog } from '../../plugins/catalog.ts';
import { resolveConcurrency } from '../../submit/resolve-job.ts';

/**
 * Checks another payload for the job of a dead letter against the schema that its type has now. Throws
 * `validation_failed` with all faults.
 */
export async function checkEditedPayload(
  catalog: Catalog,
  { letter, job, payload: oldPayload }: DeadLetterDetails,
  payload: unknown,
): Promise<PayloadEdit> {
  // The platform signs what a delivery sends: a client's own words must not come to be signed.
  if (letter.type === DELIVERY_TYPE) throw refused('What a webhook delivery sends cannot be changed.');
  const known =
    (await catalog.read()).types.get(letter.type) ?? (await catalog.readFresh()).types.get(letter.type);
  if (!known)
    throw refused(`No worker has registered the type ${letter.type}, so nothing can check the payload.`);
  const faults = known.findPayloadFaults(payload);
  if (faults.length > 0) throw validationFailed(faults);
  const before = concurrencyKeyOf(known.row, oldPayload);
  const isFromPayload = before !== null && before === job?.concurrency_key;
  return {
    payloadJson: JSON.stringify(payload),
    refusedBy: known.refusingSchemas(payload),
    ...(isFromPayload && { concurrencyKey: concurrencyKeyOf(known.row, payload) }),
  };
}

function concurrencyKeyOf({ type, defaults }: CatalogType, payload: unknown): string | null {
  return resolveConcurrency({ payload }, type, defaults).concurrencyKey ?? null;
}

function refused(detail: string) {
  const fault: Fault = { pointer: '/payload', detail };
  return validationFailed([fault]);
}
