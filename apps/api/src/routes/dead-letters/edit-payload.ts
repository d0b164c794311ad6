import { JsonText } from '@accepted/shared/core/json/json-text';
import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { PayloadEdit } from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import type { DeadLetterDetails } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import type { Catalog } from '../../catalog/catalog.ts';
import { type Fault, validationFailed } from '../../http/problem.ts';
import type { InspectPayload } from '../../submit/check-submission.ts';

/**
 * Checks another payload for the job of a dead letter against the schema that its type has now. Throws
 * `validation_failed` with all faults.
 */
export async function checkEditedPayload(
  { catalog, inspect }: { catalog: Catalog; inspect: InspectPayload },
  { letter, job, payloadJson: oldJson }: DeadLetterDetails,
  payload: unknown,
): Promise<PayloadEdit> {
  // The platform signs what a delivery sends: a client's own words must not come to be signed.
  if (letter.type === DELIVERY_TYPE) throw refused('What a webhook delivery sends cannot be changed.');
  const known =
    (await catalog.read()).types.get(letter.type) ?? (await catalog.readFresh()).types.get(letter.type);
  if (!known)
    throw refused(`No worker has registered the type ${letter.type}, so nothing can check the payload.`);
  const { faults, json, refusedBy, concurrencyKey = null } = await inspect(known, payload);
  if (faults.length > 0) throw validationFailed(faults);
  const hasKey = oldJson !== undefined && job !== undefined && job.concurrency_key !== null;
  const before = hasKey ? (await inspect(known, new JsonText(oldJson))).concurrencyKey : undefined;
  const isFromPayload = before !== undefined && before === job?.concurrency_key;
  return { payloadJson: json, refusedBy, ...(isFromPayload && { concurrencyKey }) };
}

function refused(detail: string) {
  const fault: Fault = { pointer: '/payload', detail };
  return validationFailed([fault]);
}
