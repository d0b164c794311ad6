import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateApiKey } from '@accepted/shared/database/api-keys';
import { generateWebhookSecret } from '@accepted/shared/database/tenants';
import { z } from 'zod';

const secretsSchema = z.object({ apiKey: z.string(), adminPassword: z.string(), webhookSecret: z.string() });

export type Secrets = z.output<typeof secretsSchema>;

/** Reads the secrets that this installation made on its first start, or makes them; only their owner can read them. */
export async function keepSecrets(stateDir: string): Promise<Secrets> {
  const file = join(stateDir, 'secrets.json');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept) return secretsSchema.parse(JSON.parse(kept));
  const secrets = {
    apiKey: generateApiKey().text,
    adminPassword: randomBytes(12).toString('base64url'),
    webhookSecret: generateWebhookSecret(),
  };
  await mkdir(stateDir, { recursive: true });
  await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  // The mode above only holds for a new file.
  await chmod(file, 0o600);
  return secrets;
}
