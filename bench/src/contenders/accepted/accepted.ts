import { fileURLToPath } from 'node:url';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { JOB_TYPE } from '../../payload.ts';
import type { Stores } from '../../world/stores.ts';
import type { Api, Contender } from '../contender.ts';
import { countRows, readCommitTimes } from '../postgres-rows.ts';
import { type Environment, startApi, startWorker } from '../start-programs.ts';

const JOBS_DIR = fileURLToPath(new URL('../../../jobs', import.meta.url));

/** Made up once: each database gets it when the first API opens it. */
const apiKey = generateApiKey().text;

/**
 * Accepted's own processes with the settings they have by default. The API logs warnings, as all contenders do; the
 * worker, which logs nothing for a job, is at its default. The receiver of webhooks is in a private network.
 */
const API: Environment = { SECRETS_KEY: secretsKey, BOOTSTRAP_API_KEY: apiKey, LOG_LEVEL: 'warn' };
const WORKER: Environment = { SECRETS_KEY: secretsKey, JOBS_DIR, ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' };
/** An empty setting counts as not set: without Redis, BullMQ runs on Postgres. */
const WITHOUT_REDIS: Environment = { REDIS_URL: '' };

const UNFINISHED =
  '(SELECT FROM ready UNION ALL SELECT FROM blocked UNION ALL SELECT FROM due UNION ALL SELECT FROM in_flight) AS live';
const FINISHED = `(
  SELECT attempts.xmin, payload FROM attempts JOIN jobs ON jobs.tenant_id = attempts.tenant_id AND jobs.id = job_id
  WHERE type = '${JOB_TYPE}' AND status IN ('succeeded', 'failed', 'canceled', 'expired')) AS finished`;

const accepted: Omit<Contender, 'name' | 'title' | 'prepare' | 'startApi' | 'startWorker'> = {
  runsJobs: true,
  countUnfinished: ({ postgres }) => countRows(postgres, UNFINISHED),
  listOutcomes: ({ postgres }) => readCommitTimes(postgres, 'payload', FINISHED),
};

export const acceptedRedis: Contender = {
  ...accepted,
  name: 'accepted-redis',
  title: 'Accepted, Redis engine',
  prepare: (stores) => migrateAndRegister(stores, {}),
  startApi: (stores) => startAcceptedApi(stores, {}),
  startWorker: (stores, env = {}) => startAcceptedWorker(stores, env),
};

export const acceptedPostgres: Contender = {
  ...accepted,
  name: 'accepted-postgres',
  title: 'Accepted, Postgres engine',
  prepare: (stores) => migrateAndRegister(stores, WITHOUT_REDIS),
  startApi: (stores) => startAcceptedApi(stores, WITHOUT_REDIS),
  startWorker: (stores, env = {}) => startAcceptedWorker(stores, { ...WITHOUT_REDIS, ...env }),
};

/** The API takes a type of job when a worker has told of it once; `more` is set for that worker. */
export async function migrateAndRegister(stores: Stores, more: Environment): Promise<void> {
  await migrate(stores);
  await using worker = await startAcceptedWorker(stores, more);
  worker.kill('SIGTERM');
  await worker.exited;
}

async function migrate({ databaseUrl }: Stores): Promise<void> {
  await using migration = spawnProcess('apps/migrate/src/main.ts', { env: { DATABASE_URL: databaseUrl } });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migration failed:\n${migration.lines.join('\n')}`);
}

/** Starts the API; `more` is set on top of what a user would set. */
export async function startAcceptedApi(stores: Stores, more: Environment): Promise<Api> {
  const api = await startApi('apps/api/src/main.ts', stores, { ...API, ...more });
  return { ...api, headers: { ...api.headers, authorization: `Bearer ${apiKey}` } };
}

/** Starts a worker; `more` is set on top of what a user would set. */
export function startAcceptedWorker(stores: Stores, more: Environment): Promise<SpawnedProcess> {
  return startWorker('apps/worker/src/main.ts', stores, { ...WORKER, ...more });
}
