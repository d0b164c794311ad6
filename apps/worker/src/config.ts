import { isAbsolute, resolve } from 'node:path';
import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import {
  databaseUrl,
  handlerLogLevel,
  listOf,
  logLevel,
  privateNetworks,
  redisUrl,
  secretsKey,
  wholeNumber,
} from '@accepted/shared/runtime/config/settings';
import { z } from 'zod';
import { holdsTheProgram } from './handlers/child-permissions.ts';

/** One heartbeat may be lost, and the next one late, before a worker that lives is declared lost. */
const HEARTBEATS_IN_A_LEASE = 3;

/** What opens the ledger, the engine or the API itself: a handler that has it needs no hole to have everything. */
const OWN_CREDENTIALS = [
  'DATABASE_URL',
  'REDIS_URL',
  'SECRETS_KEY',
  'BOOTSTRAP_API_KEY',
  'BOOTSTRAP_WEBHOOK_SECRET',
  'ADMIN_PASSWORD',
];

const handlerVariable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
  .refine((name) => !OWN_CREDENTIALS.includes(name), {
    params: {
      expected: `names of what handlers need, and none of Accepted's own credentials (${OWN_CREDENTIALS.join(', ')}): give a handler an account of its own, under another name`,
    },
  });

const settings = z.object({
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  SECRETS_KEY: secretsKey,
  LOG_LEVEL: logLevel,
  HANDLER_LOG_LEVEL: handlerLogLevel,
  /** The folder of handler files; unset: only the built-in job types. */
  JOBS_DIR: z
    .string()
    .transform((path) => (isAbsolute(path) ? path : resolve(path)))
    .optional()
    .meta({ expected: 'a folder with one handler a file' }),
  /** What isolated handlers may see of the environment; `handlers/child-environment.ts` reads it where they start. */
  HANDLER_ENV: listOf(handlerVariable, 'names of environment variables'),
  /** Whether isolated handlers run under Node's permission model; `handlers/child-permissions.ts` reads it where they start. */
  HANDLER_PERMISSIONS: z.enum(['on', 'off']).default('off').meta({ expected: 'on or off' }),
  /** Jobs of one queue that run at once in this process. */
  WORKER_CONCURRENCY: wholeNumber({ min: 1, max: 1_000, default: 20 }),
  /** Deliveries of webhooks that run at once in this process: hardly more than a connection each. */
  WEBHOOK_CONCURRENCY: wholeNumber({ min: 1, max: 1_000, default: 100 }),
  /** How much of a queue's slots one tenant may have where there are several; what is left is for newcomers. */
  MAX_TENANT_SHARE: wholeNumber({ min: 1, max: 100, default: 80, unit: 'percent' }),
  ALLOW_PRIVATE_NETWORKS: privateNetworks,
  LEASE_MS: wholeNumber({ min: 1_000, max: 600_000, default: 15_000, unit: 'milliseconds' }),
  HEARTBEAT_MS: wholeNumber({ min: 100, max: 60_000, default: 3_000, unit: 'milliseconds' }),
  /** Times that a job's worker may be lost, when that need not be the job's doing, before it is not tried again. */
  MAX_LOSSES: wholeNumber({ min: 1, max: 1_000, default: 5 }),
  WATCHDOG_MS: wholeNumber({ min: 1_000, max: 3_600_000, default: 30_000, unit: 'milliseconds' }),
  RETENTION_DAYS: wholeNumber({ min: 1, max: 365, default: 30, unit: 'days' }),
  SHUTDOWN_TIMEOUT_MS: wholeNumber({ min: 1_000, max: 600_000, default: 8_000, unit: 'milliseconds' }),
});

export const configSchema = settings
  .superRefine(({ LEASE_MS, HEARTBEAT_MS }, faults) => {
    const leastMs = HEARTBEATS_IN_A_LEASE * HEARTBEAT_MS;
    if (LEASE_MS >= leastMs) return;
    const expected = `at least ${leastMs}, three times HEARTBEAT_MS: make it longer, or HEARTBEAT_MS shorter`;
    faults.addIssue({ code: 'custom', path: ['LEASE_MS'], params: { expected } });
  })
  .superRefine(({ HANDLER_PERMISSIONS, JOBS_DIR }, faults) => {
    if (HANDLER_PERMISSIONS === 'off' || JOBS_DIR === undefined || !holdsTheProgram(JOBS_DIR)) return;
    const expected =
      'a folder that Accepted itself does not lie in, with its secrets: HANDLER_PERMISSIONS=on lets handlers read all of it';
    faults.addIssue({ code: 'custom', path: ['JOBS_DIR'], params: { expected } });
  });

export type WorkerConfig = Readonly<z.output<typeof configSchema>>;

/** Reads the settings from the environment, and takes the key of the secrets out of it; throws a `ConfigError` with every fault. */
export function readConfig(): WorkerConfig {
  const config = parseConfig(configSchema, process.env);
  // Handlers share this process, and need what it protects as little as they need the key.
  delete process.env.SECRETS_KEY;
  return config;
}
