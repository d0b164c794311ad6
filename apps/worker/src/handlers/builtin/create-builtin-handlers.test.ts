import { describe, expect, it } from 'vitest';
import { describeJobType } from '../describe-job-type.ts';
import { outboundTo } from '../testing/outbound.ts';
import { createBuiltinHandlers } from './create-builtin-handlers.ts';

const handlers = createBuiltinHandlers({ webhookSecrets: async () => [], outbound: outboundTo() });

describe('the catalog', () => {
  it('describes both to clients', () => {
    expect(handlers.map(describeJobType)).toMatchObject([
      {
        type: 'http.request',
        queue: 'default',
        payloadSchema: { required: ['url'], additionalProperties: false },
      },
      {
        type: 'webhook.deliver',
        queue: 'webhooks',
        defaults: { maxAttempts: 10, backoff: { type: 'schedule' } },
      },
    ]);
  });
});
