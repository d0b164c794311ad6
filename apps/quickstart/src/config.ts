import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import {
  databaseUrl,
  handlerLogLevel,
  logLevel,
  privateNetworks,
  redisUrl,
  secret,
  wholeNumber,
} from '@accepted/shared/runtime/config/settings';
import { z } from 'zod';

export const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));

/** The settings that the quickstart reads itself; every other one reaches the api and the worker as it is. */
export const configSchema = z.object({
  PORT: wholeNumber({ min: 1, max: 65_535, default: 3000 }),
  HOST: z.string().default('127.0.0.1').meta({ expected: 'an address to listen on, such as 0.0.0.0' }),
  /** Keeps the data and the secrets of the quickstart. */
  STATE_DIR: z
    .string()
    .default('.accepted')
    .transform((path) => resolve(WORKSPACE, path))
    .meta({ expected: 'a folder' }),
  DATABASE_URL: databaseUrl.optional().meta({ ...databaseUrl.meta() }),
  REDIS_URL: redisUrl,
  JOBS_DIR: z
    .string()
    .default(resolve(WORKSPACE, 'examples/jobs'))
    .meta({ expected: 'a folder with one handler a file' }),
  BOOTSTRAP_API_KEY: secret(16),
  BOOTSTRAP_WEBHOOK_SECRET: secret(16),
  SECRETS_KEY: secret(32),
  ADMIN_PASSWORD: secret(8),
  ALLOW_PRIVATE_NETWORKS: privateNetworks,
  LOG_LEVEL: logLevel,
  HANDLER_LOG_LEVEL: handlerLogLevel,
});

export type QuickstartConfig = Readonly<z.output<typeof configSchema>>;

/**
 * Reads the settings; the api and the worker write warnings only, and handlers what is worth a line, unless `LOG_LEVEL`
 * asks for something else.
 */
export function readConfig(): QuickstartConfig {
  const { LOG_LEVEL, HANDLER_LOG_LEVEL } = process.env;
  return parseConfig(configSchema, {
    ...process.env,
    LOG_LEVEL: LOG_LEVEL || 'warn',
    // Where it is unset, handlers write from the same level on as all else.
    HANDLER_LOG_LEVEL: HANDLER_LOG_LEVEL || (LOG_LEVEL ? undefined : 'info'),
  });
}

/** Gives the environment that this process was started with, for the processes that it starts. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}
