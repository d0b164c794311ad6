import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webhookSignature } from '@accepted/shared/core/webhook/signature';
import { generateWebhookSecret } from '@accepted/shared/ledger/tenants/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPage } from './pages.ts';

type IsGenuine = (headers: Headers, body: string, secret: string) => boolean;

const folder = mkdtempSync(join(tmpdir(), 'accepted-webhooks-'));
afterAll(() => rmSync(folder, { recursive: true }));

let isGenuine: IsGenuine;
beforeAll(async () => {
  const file = join(folder, 'is-genuine.ts');
  writeFileSync(
    file,
    readPage('docs/webhooks.md').code.find(({ language }) => language === 'ts')?.text ?? '',
  );
  ({ isGenuine } = await import(file));
});

const secret = generateWebhookSecret();
const body = '{"type":"job.succeeded"}';

function headersOf(timestamp: number, secrets: string[]): Headers {
  const signature = webhookSignature({ id: 'evt_1', timestamp, body }, secrets);
  return new Headers({
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signature,
  });
}

const now = Math.floor(Date.now() / 1_000);

test('the documented check takes what the platform signs, also while a secret is rotated', () => {
  expect(isGenuine(headersOf(now, [secret]), body, secret)).toBe(true);
  expect(isGenuine(headersOf(now, [generateWebhookSecret(), secret]), body, secret)).toBe(true);
});

test.each([
  ['a changed body', headersOf(now, [secret]), `${body} `],
  ['another secret', headersOf(now, [generateWebhookSecret()]), body],
  ['an old delivery', headersOf(now - 301, [secret]), body],
  ['no headers', new Headers(), body],
])('the documented check refuses %s', (_, headers, given) => {
  expect(isGenuine(headers, given, secret)).toBe(false);
});
