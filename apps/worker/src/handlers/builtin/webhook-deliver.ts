import { defineJob, PermanentError } from '@accepted/job';
import { parsePublicId } from '@accepted/shared/job/id';
import {
  DELIVERY_ATTEMPTS,
  DELIVERY_BACKOFF,
  DELIVERY_QUEUE,
  DELIVERY_TIMEOUT_MS,
  DELIVERY_TYPE,
} from '@accepted/shared/webhook/event';
import { webhookSignature } from '@accepted/shared/webhook/signature';
import { z } from 'zod';
import type { Outbound } from '../../outbound/guarded-request.ts';
import { replyText } from '../../outbound/reply-text.ts';
import { failedCall, failedReply } from './failed-reply.ts';

/** Standard Webhooks 1.0.0 recommends 15 to 30 s. */
const TRY_TIMEOUT_MS = 15_000;
const MAX_QUOTED_REPLY = 1_000;
const GONE = 410;

const payloadSchema = z.strictObject({
  eventId: z.string().regex(/^evt_[0-9a-z]{26}$/),
  url: z.string().max(8_192),
  body: z.string().max(65_536),
});

const resultSchema = z.object({ status: z.int(), durationMs: z.int(), reply: z.string() });

/**
 * Defines `webhook.deliver`: sends one event, signed as Standard Webhooks 1.0.0 asks, the same bytes under the same id
 * in every attempt. Only the secrets of the job's own tenant sign, so nobody can speak in another's name.
 */
export function defineWebhookDeliver(
  outbound: Outbound,
  webhookSecrets: (tenantId: string) => Promise<string[]>,
) {
  return defineJob({
    type: DELIVERY_TYPE,
    queue: DELIVERY_QUEUE,
    payload: payloadSchema,
    result: resultSchema,
    retry: { maxAttempts: DELIVERY_ATTEMPTS, backoff: DELIVERY_BACKOFF },
    timeoutMs: DELIVERY_TIMEOUT_MS,
    async run({ eventId, url, body }, ctx) {
      const secrets = await webhookSecrets(parsePublicId('tenant', ctx.job.tenantId) ?? '');
      const headers = { ...signedHeaders(eventId, body, secrets), ...traceHeaders(ctx.job) };
      const call = { method: 'POST', url, headers, body, timeoutMs: TRY_TIMEOUT_MS, signal: ctx.signal };
      const reply = await outbound(call).catch((error: unknown) => {
        throw failedCall(error);
      });
      if (reply.status === GONE)
        throw new PermanentError('The endpoint is gone (410).', { code: 'endpoint_gone' });
      if (reply.status < 200 || reply.status >= 300) throw failedReply(reply, url, true);
      const text = replyText(reply.body, reply.truncated) ?? '';
      return {
        status: reply.status,
        durationMs: reply.durationMs,
        reply: text.slice(0, MAX_QUOTED_REPLY).toWellFormed(),
      };
    },
  });
}

function signedHeaders(id: string, body: string, secrets: string[]): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    'content-type': 'application/json',
    'user-agent': 'Accepted',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': webhookSignature({ id, timestamp, body }, secrets),
  };
}

function traceHeaders(job: { traceparent?: string; tracestate?: string }): Record<string, string> {
  const { traceparent, tracestate } = job;
  return { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
}
