import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { generateApiKey, TENANT_SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { ensureBootstrap } from '@accepted/shared/ledger/tenants/tenants';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { dispatchOne } from '@accepted/testing/move-jobs';
import { secretBox, secretsKey } from '@accepted/testing/secrets-key';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { BOUNDS, type Bounds } from '../src/bounds.ts';
import { type Config, configSchema, poolSize } from '../src/config.ts';
import { closePools, openPools, type Pools } from '../src/pools/pools.ts';

/** An API on a database of its own, with the job type `test.echo` and an API key that may do everything. */
export interface ApiUnderTest {
  app: FastifyInstance;
  db: Database;
  url: string;
  tenantId: string;
  key: string;
  /** Sends a request with the key; `body` is sent as JSON. */
  send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD',
    url: string,
    options?: SendOptions,
  ): Promise<LightMyRequestResponse>;
  /** Submits a job of type `test.echo` and answers its public id. */
  submit(request?: object): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SendOptions {
  body?: unknown;
  headers?: Record<string, string>;
  key?: string | null;
}

/** So long may a batch take on a slow machine before a crowd is refused. */
export const PATIENT_MS = '800';

/** As for every server, but that on a slow machine a crowd may take its time. */
const TEST_BOUNDS: Bounds = {
  ...BOUNDS,
  tenantConnections: { ...BOUNDS.tenantConnections, maxWaitMs: 30_000 },
};

/**
 * Starts the API by `inject`: everything is real but the socket. `settings` are environment variables; `serverUrl` names
 * a PostgreSQL of the test's own.
 */
export async function startApi(
  settings: Record<string, string> = {},
  serverUrl?: string,
  bounds: Partial<Bounds> = {},
): Promise<ApiUnderTest> {
  const database = await createTestDatabase(serverUrl);
  const { db, url } = database;
  const key = generateApiKey().text;
  const { tenantId } = await ensureBootstrap(db, secretBox, { apiKey: key });
  await registerTestTypes(db);
  const config = parseConfig(configSchema, {
    DATABASE_URL: url,
    SECRETS_KEY: secretsKey,
    PUBLIC_URL: 'https://jobs.test',
    DATABASE_LATENCY_BUDGET_MS: PATIENT_MS,
    ...settings,
  });
  const pools = openTestPools(config);
  const app = await buildApp({ pools, logger: pino({ level: 'silent' }) }, config, {
    ...TEST_BOUNDS,
    ...bounds,
  });

  async function send(
    method: string,
    path: string,
    options: SendOptions = {},
  ): Promise<LightMyRequestResponse> {
    const sentKey = options.key === undefined ? key : options.key;
    const request: InjectOptions = {
      method: method as 'GET',
      url: path,
      headers: { ...(sentKey && { authorization: `Bearer ${sentKey}` }), ...options.headers },
      ...(options.body !== undefined && { payload: options.body as object }),
    };
    return await app.inject(request);
  }

  return {
    app,
    db,
    url,
    tenantId,
    key,
    send,
    async submit(request = {}) {
      const reply = await send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {}, ...request } });
      if (reply.statusCode !== 202) throw new Error(`The job was not accepted: ${reply.body}`);
      return reply.json().id;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await closePools(pools);
      await database.drop();
    },
  };
}

/** Opens the connections of an API, which on a slow machine may take their time. */
export function openTestPools(config: Config): Pools {
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 };
  // Tests crash servers and drop databases under idle connections.
  const options = { url: config.DATABASE_URL, connections: poolSize(config), ...timeouts };
  return openPools(options, () => undefined);
}

async function registerTestTypes(db: Database): Promise<void> {
  const defaults = { maxAttempts: 3, backoff: DEFAULT_BACKOFF, timeoutMs: 10_000 };
  const types = [
    {
      type: 'test.echo',
      queue: 'default',
      payloadSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: { count: { type: 'integer' }, account: { type: 'string' } },
      },
      resultSchema: { type: 'object' },
      defaults: { ...defaults, concurrency: { limit: 5, keyPointer: '/account' } },
    },
    {
      type: 'test.strict',
      queue: 'strict',
      payloadSchema: { type: 'object', additionalProperties: false },
      defaults,
    },
    { type: 'webhook.deliver', queue: 'webhooks', payloadSchema: {}, defaults },
  ];
  await registerBuild(db, { id: TEST_BUILD, types });
}

/** Runs a job as a worker does, up to `outcome`; without one it stays running. */
export async function runJob(db: Database, publicJobId: string, outcome?: Outcome): Promise<void> {
  const id = parsePublicId('job', publicJobId) ?? publicJobId;
  const workerId = newUuid();
  await registerWorker(db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  const [job] = await claimJobs(db, workerId, [await dispatchOne(db, id)]);
  if (!job) throw new Error('The job could not be claimed.');
  if (outcome) await recordOutcomes(db, [{ job, outcome }], {});
}

/** Counts all jobs there are: nothing may be half written. */
export async function countJobs(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom('current_jobs')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Makes a key of another tenant, with all scopes that do not reach beyond it. */
export async function createOtherTenant(db: Database): Promise<string> {
  const { text, id, secretHash } = generateApiKey();
  const tenantId = newUuid();
  await db.insertInto('tenants').values({ id: tenantId, name: 'other', webhook_secret: 'whsec_' }).execute();
  await db
    .insertInto('api_keys')
    .values({
      id,
      tenant_id: tenantId,
      name: 'other',
      secret_hash: secretHash,
      scopes: [...TENANT_SCOPES],
      revoked_at: null,
    })
    .execute();
  return text;
}
