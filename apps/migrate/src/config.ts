import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { databaseUrl, secretsKey } from '@accepted/shared/runtime/config/settings';
import { z } from 'zod';

export const configSchema = z.object({ DATABASE_URL: databaseUrl });

export const addTenantConfigSchema = z.object({ DATABASE_URL: databaseUrl, SECRETS_KEY: secretsKey });

export function readConfig() {
  return parseConfig(configSchema, process.env);
}

export function readAddTenantConfig() {
  return parseConfig(addTenantConfigSchema, process.env);
}
