import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import {
  ensureBootstrap,
  generateWebhookSecret,
  webhookSecrets,
} from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import { createTestDatabase } from '@accepted/testing/test-database';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { attempt } from '../testing/attempt.ts';
import { outboundTo } from '../testing/outbound.ts';
import { createBuiltinHandlers } from './create-builtin-handlers.ts';

test('after a new BOOTSTRAP_WEBHOOK_SECRET receivers can verify under the old one and under the new one', async () => {
  await using database = await createTestDatabase();
  const [older, newer] = [generateWebhookSecret(), generateWebhookSecret()];
  const apiKey = generateApiKey().text;
  await ensureBootstrap(database.db, secretBox, { apiKey, webhookSecret: older });
  const { tenantId } = await ensureBootstrap(database.db, secretBox, { apiKey, webhookSecret: newer });
  const received: { headers: Record<string, string>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers as Record<string, string>, body: await text(request) });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const handlers = createBuiltinHandlers({
    webhookSecrets: (id) => webhookSecrets(database.db, secretBox, id),
    outbound: outboundTo('127.0.0.1/32'),
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const payload = { eventId: publicId('event', newUuid()), url, body: '{"type":"job.succeeded"}' };
  const deliver = handlers.find(({ type }) => type === 'webhook.deliver');
  expect(await attempt(deliver as never, { tenantId, payload })).toMatchObject({ kind: 'returned' });
  server.close();

  const [{ headers, body } = { headers: {}, body: '' }] = received;
  for (const secret of [older, newer]) expect(new Webhook(secret).verify(body, headers)).toBeDefined();
  expect(() => new Webhook(generateWebhookSecret()).verify(body, headers)).toThrow();
});
