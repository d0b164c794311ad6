import { parseConfig } from '@accepted/shared/config/parse-config';
import { databaseUrl } from '@accepted/shared/config/settings';
import { z } from 'zod';

export const configSchema = z.object({ DATABASE_URL: databaseUrl });

export function readConfig() {
  return parseConfig(configSchema, process.env);
}
