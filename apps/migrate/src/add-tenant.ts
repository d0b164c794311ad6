import { publicId } from '@accepted/shared/core/job/id';
import { createSecretBox } from '@accepted/shared/core/secrets/secret-box';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { readAddTenantConfig } from './config.ts';

/** Adds the tenant that the arguments name, and prints what it needs; the key is shown nowhere else. */
async function main(): Promise<void> {
  const [name, ...more] = process.argv.slice(2);
  if (!name?.trim() || more.length > 0) throw new Error('Give one name: npm run add-tenant -- acme');
  const { DATABASE_URL, SECRETS_KEY } = readAddTenantConfig();
  await using db = openLedger(DATABASE_URL);
  const { id, apiKey, webhookSecret } = await addTenant(db, createSecretBox(SECRETS_KEY), name);
  process.stdout.write(`Tenant: ${publicId('tenant', id)}\n`);
  process.stdout.write(`API key: ${apiKey}\nWebhook secret: ${webhookSecret}\n`);
}

function openLedger(url: string) {
  const options = { maxConnections: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 };
  // What a lost connection does to the statement that runs is told by that.
  return openDatabase({ url, applicationName: 'accepted-add-tenant', ...options }, () => undefined);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
