import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSecretKey } from '@accepted/shared/core/secrets/secret-box';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { generateWebhookSecret } from '@accepted/shared/ledger/tenants/tenants';
import { z } from 'zod';

const secretsSchema = z.object({
  apiKey: z.string().default(() => generateApiKey().text),
  adminPassword: z.string().default(() => randomBytes(12).toString('base64url')),
  webhookSecret: z.string().default(generateWebhookSecret),
  secretsKey: z.string().default(generateSecretKey),
});

export type Secrets = z.output<typeof secretsSchema>;

/**
 * Reads the secrets that this installation made on its first start, and makes those that it does not have yet; only
 * their owner can read them.
 */
export async function keepSecrets(stateDir: string): Promise<Secrets> {
  const file = join(stateDir, 'secrets.json');
  const kept = await readFile(file, 'utf8').catch(() => '{}');
  const secrets = secretsSchema.parse(JSON.parse(kept));
  const text = `${JSON.stringify(secrets, null, 2)}\n`;
  if (text === kept) return secrets;
  await mkdir(stateDir, { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
  // The mode above only holds for a new file.
  await chmod(file, 0o600);
  return secrets;
}
