import { parsePublicId } from '@accepted/shared/core/job/id';
import { webhookSignature } from '@accepted/shared/core/webhook/signature';

/** Answers the secrets that sign for a tenant, the newest first; takes the ledger's UUID of the tenant. */
export type WebhookSecrets = (tenantId: string) => Promise<string[]>;

/**
 * Signs what is sent now, as Standard Webhooks 1.0.0 asks. `id` stays the same in every try, so that a receiver can drop
 * what it has seen. Only the secrets of the job's own tenant sign, so nobody can speak in another's name.
 */
export async function signedHeaders(
  webhookSecrets: WebhookSecrets,
  { id, tenantId, body }: { id: string; tenantId: string; body: string },
): Promise<Record<string, string>> {
  const secrets = await webhookSecrets(parsePublicId('tenant', tenantId) ?? '');
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': webhookSignature({ id, timestamp, body }, secrets),
  };
}
