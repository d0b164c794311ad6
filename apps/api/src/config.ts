import { availableParallelism } from 'node:os';
import { parseApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import {
  databaseUrl,
  listOf,
  logLevel,
  optionalWholeNumber,
  redisUrl,
  secret,
  secretsKey,
  wholeNumber,
} from '@accepted/shared/runtime/config/settings';
import { z } from 'zod';
import { connectionsFor } from './pools/pool-sizes.ts';

const MIB = 1_048_576;

/** The settings of the API; `.env.example` explains them to operators. */
export const configSchema = z.object({
  PORT: wholeNumber({ min: 0, max: 65_535, default: 3000 }),
  HOST: z.string().default('127.0.0.1').meta({ expected: 'an address to listen on, such as 0.0.0.0' }),
  PUBLIC_URL: z
    .string()
    .refine((url) => ['http:', 'https:'].includes(URL.parse(url)?.protocol ?? ''))
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .meta({ expected: 'the URL that clients reach this server by, such as https://jobs.example.com' }),
  /**
   * Whom to believe who the client is: `X-Forwarded-For` is whatever a client likes until a proxy of ours has added to it.
   * A number of proxies would not do, as clients that reach this port directly could send as many addresses.
   */
  TRUST_PROXY: listOf(
    z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]),
    'addresses of reverse proxies, or networks in CIDR notation, such as 10.1.0.0/16',
  ),
  DATABASE_URL: databaseUrl,
  /** At least one for each of `GROUPS`; unset: as many as `poolSize` says. */
  DATABASE_POOL_SIZE: optionalWholeNumber({ min: 5, max: 200, unit: 'connections' }),
  /** Of the server that has the ledger, which does not tell. Unset: as many as this machine has. */
  DATABASE_CORES: optionalWholeNumber({ min: 1, max: 1_024, unit: 'cores' }),
  /** API processes and workers that share the server. */
  DATABASE_PROCESSES: wholeNumber({ min: 1, max: 10_000, default: 2, unit: 'processes' }),
  /** The p95 of what Postgres may take for a batch of new jobs; over it the least urgent are refused. */
  DATABASE_LATENCY_BUDGET_MS: wholeNumber({ min: 1, max: 800, default: 50, unit: 'milliseconds' }),
  BOOTSTRAP_API_KEY: z
    .string()
    .refine((text) => parseApiKey(text) !== undefined)
    .optional()
    .meta({ expected: 'an API key of the form acc_<26 characters>_<64 hex digits>', secret: true }),
  /** The engine, for Bull Board alone: accepting a job never touches it. */
  REDIS_URL: redisUrl,
  BOOTSTRAP_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/)
    .optional()
    .meta({ expected: '`whsec_` and the base64 of 24 to 64 random bytes', secret: true }),
  SECRETS_KEY: secretsKey,
  ADMIN_PASSWORD: secret(8),
  /** Whether `/docs` and `/openapi.json` are there. They hold no secrets, but tell of every job type to whoever asks. */
  API_DOCS: z.enum(['on', 'off']).default('on').meta({ expected: 'on or off' }),
  /** Whose pages may call the API from a browser. */
  CORS_ORIGINS: listOf(
    z.string().refine((text) => URL.parse(text)?.origin === text && !text.includes('*')),
    'origins, such as https://app.example.com',
  ),
  LOG_LEVEL: logLevel,
  MAX_BODY_BYTES: wholeNumber({ min: 1_024, max: 64 * MIB, default: MIB, unit: 'bytes' }),
  MAX_WAIT_SECONDS: wholeNumber({ min: 0, max: 300, default: 30, unit: 'seconds' }),
  /** Within how long a job is to be started: `/v1/scaling` says how many workers that takes. */
  START_OBJECTIVE_MS: wholeNumber({ min: 100, max: 86_400_000, default: 10_000, unit: 'milliseconds' }),
  REQUEST_TIMEOUT_MS: wholeNumber({ min: 100, max: 300_000, default: 10_000, unit: 'milliseconds' }),
  /** Unset: no bound. Behind a proxy all connections come from its address. */
  MAX_CONNECTIONS_PER_ADDRESS: optionalWholeNumber({ min: 1, max: 100_000, unit: 'connections' }),
  /** How long `/readyz` says no before the port is closed: as long as a load balancer needs to notice. */
  SHUTDOWN_DELAY_MS: wholeNumber({ min: 0, max: 60_000, default: 0, unit: 'milliseconds' }),
  SHUTDOWN_TIMEOUT_MS: wholeNumber({ min: 100, max: 300_000, default: 8_000, unit: 'milliseconds' }),
});

export type Config = Readonly<z.output<typeof configSchema>>;

/** Reads the settings from the environment, and takes the key of the secrets out of it; throws a `ConfigError` with every fault. */
export function readConfig(): Config {
  const config = parseConfig(configSchema, process.env);
  // Whatever else runs in this process, or dumps its environment, needs it for nothing.
  delete process.env.SECRETS_KEY;
  return config;
}

/** How many connections to Postgres this process holds at most: as many as were set, or else as the cores of that server want. */
export function poolSize({ DATABASE_POOL_SIZE, DATABASE_CORES, DATABASE_PROCESSES }: Config): number {
  return DATABASE_POOL_SIZE ?? connectionsFor(DATABASE_CORES ?? availableParallelism(), DATABASE_PROCESSES);
}

/** The URL that clients reach this server by: the one that was set, or else where it listens. */
export function publicUrl({ PUBLIC_URL, HOST, PORT }: Config): string {
  if (PUBLIC_URL) return PUBLIC_URL;
  const listensEverywhere = HOST === '0.0.0.0' || HOST === '::';
  const host = listensEverywhere ? 'localhost' : HOST.includes(':') ? `[${HOST}]` : HOST;
  return `http://${host}:${PORT}`;
}
