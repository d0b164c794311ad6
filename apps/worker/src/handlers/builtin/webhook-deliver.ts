import { defineJob, PermanentError } from '@accepted/job';
import {
  DELIVERY_ATTEMPTS,
  DELIVERY_BACKOFF,
  DELIVERY_QUEUE,
  DELIVERY_TIMEOUT_MS,
  DELIVERY_TYPE,
} from '@accepted/shared/core/webhook/event';
import { z } from 'zod';
import type { Outbound } from '../../outbound/guarded-request.ts';
import { replyText } from '../../outbound/reply-text.ts';
import { failedCall, failedReply } from './failed-reply.ts';
import { signedHeaders, type WebhookSecrets } from './signed-headers.ts';

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
 * in every attempt.
 */
export function defineWebhookDeliver(outbound: Outbound, webhookSecrets: WebhookSecrets) {
  return defineJob({
    type: DELIVERY_TYPE,
    queue: DELIVERY_QUEUE,
    payload: payloadSchema,
    result: resultSchema,
    retry: { maxAttempts: DELIVERY_ATTEMPTS, backoff: DELIVERY_BACKOFF },
    timeoutMs: DELIVERY_TIMEOUT_MS,
    async run({ eventId, url, body }, ctx) {
      const { tenantId } = ctx.job;
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Accepted',
        ...(await signedHeaders(webhookSecrets, { id: eventId, tenantId, body })),
        ...traceHeaders(ctx.job),
      };
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

function traceHeaders(job: { traceparent?: string; tracestate?: string }): Record<string, string> {
  const { traceparent, tracestate } = job;
  return { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
}
