import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { publicId } from '@accepted/shared/core/job/id';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { startRedisServer } from '@accepted/testing/redis-server';
import { secretsKey } from '@accepted/testing/secrets-key';
import { createTestDatabase, openTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Installation, startInstallation } from '../installation.ts';

const JOBS_DIR = fileURLToPath(new URL('jobs', import.meta.url));

/** Each is planted in one place, and may stand in no line that the processes write. */
const CANARIES = {
  postgres: canary('postgres/password@'),
  redis: canary('redis-password'),
  admin: canary('admin password "'),
  mistyped: canary('mistyped'),
  payload: canary('payload'),
  basic: canary('basic'),
  bearer: canary('bearer'),
  cookie: canary('cookie'),
  webhookUrl: canary('query'),
};

function canary(name: string): string {
  return `${name}-canary-${randomBytes(12).toString('hex')}`;
}

const key = generateApiKey().text;
const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`;

test('whatever goes wrong, no line of the logs has a password, a key, a cookie or a payload', async () => {
  await using postgres = await startPostgresServer();
  await using redis = await startRedisServer(['--requirepass', CANARIES.redis]);
  const database = await createTestDatabase(postgres.url);
  const url = await withPassword(database.url, CANARIES.postgres);
  await using receiver = await startReceiver();
  await using installation = await startInstallation({
    databaseUrl: url,
    redisUrl: redis.url.replace('redis://', `redis://:${CANARIES.redis}@`),
    env: {
      LOG_LEVEL: 'trace',
      JOBS_DIR,
      BOOTSTRAP_API_KEY: key,
      BOOTSTRAP_WEBHOOK_SECRET: webhookSecret,
      ADMIN_PASSWORD: CANARIES.admin,
      ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
    },
  });
  const worker = await installation.startWorker();
  const lines = () => [...installation.api.lines, ...worker.lines];
  const printed = (text: string) =>
    waitUntil(() => lines().some((line) => line.includes(text)), {
      until: `there is a line with: ${text}`,
      timeoutMs: 30_000,
    });

  const session = await useBullBoard(installation);
  await sendBadRequests(installation);
  await failJobs(installation, receiver.url);

  await distrust(redis.url, CANARIES.redis);
  await printed('WRONGPASS');
  await redis.kill();
  await printed('ECONNREFUSED');

  await breakConnections(url);
  await printed('28P01');
  await postgres.stop('immediate');
  await waitUntil(async () => (await submit(installation, {})).status === 503, {
    until: 'a 503 is answered',
  });
  await printed('database_unavailable');
  installation.api.kill('SIGTERM');
  worker.kill('SIGTERM');
  await Promise.all([installation.api.exited, worker.exited]);

  const secrets = [
    ...Object.values(CANARIES),
    session,
    webhookSecret.slice(6),
    secretsKey,
    key.split('_')[2] ?? '',
  ];
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]);
  expect(lines().length).toBeGreaterThan(50);
  expect(lines().filter((line) => forms.some((form) => line.includes(form)))).toEqual([]);
});

/** Lets the processes connect as a user whose password is a canary. */
async function withPassword(databaseUrl: string, password: string): Promise<string> {
  const db = openTestDatabase(databaseUrl, 1);
  await sql`CREATE ROLE watched SUPERUSER LOGIN PASSWORD ${sql.lit(password)}`.execute(db);
  await db.destroy();
  return Object.assign(new URL(databaseUrl), { username: 'watched', password: encodeURIComponent(password) })
    .href;
}

/** Answers 500 to every webhook, and quotes what it was sent. */
async function startReceiver() {
  const server = createServer(async (request, response) => {
    response.writeHead(500);
    for await (const chunk of request) response.write(chunk);
    response.end(JSON.stringify(request.headers));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=${CANARIES.webhookUrl}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const BEARER = { authorization: `Bearer ${key}` };

function submit({ url }: Installation, body: object): Promise<Response> {
  return fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'test.break',
      payload: { how: 'throws', secret: CANARIES.payload },
      ...body,
    }),
  });
}

/** Logs in wrongly and rightly, and answers the session that the right password opened. */
async function useBullBoard({ url }: Installation): Promise<string> {
  const logIn = (password: string) =>
    fetch(`${url}/admin/login`, {
      method: 'POST',
      headers: { origin: url },
      body: new URLSearchParams({ password }),
      redirect: 'manual',
    });
  expect((await logIn(CANARIES.mistyped)).status).toBe(401);
  const [cookie = ''] = (await logIn(CANARIES.admin)).headers.getSetCookie();
  const session = cookie.split(';')[0]?.split('=')[1] ?? '';
  expect(session.length).toBeGreaterThan(20);
  const board = await fetch(`${url}/admin/queues/api/queues`, {
    headers: { cookie: `accepted_admin=${session}` },
  });
  expect(board.status).toBe(200);
  const forged = { cookie: `accepted_admin=${CANARIES.cookie}` };
  expect((await fetch(`${url}/admin/queues/api/queues`, { headers: forged })).status).toBe(401);
  return session;
}

async function sendBadRequests(installation: Installation): Promise<void> {
  const { url } = installation;
  const post = (headers: Record<string, string>, body: string) =>
    fetch(`${url}/v1/jobs`, { method: 'POST', headers: { ...BEARER, ...headers }, body });
  const json = { 'content-type': 'application/json' };
  const secret = CANARIES.payload;
  const replies = await Promise.all([
    post({ ...json, authorization: `Basic ${Buffer.from(`me:${CANARIES.basic}`).toString('base64')}` }, '{}'),
    post({ ...json, authorization: `Bearer ${CANARIES.bearer}` }, '{}'),
    post({ ...json, authorization: `Bearer ${key.slice(0, -4)}0000` }, '{}'),
    post({ ...json, cookie: `session=${CANARIES.cookie}` }, `{"payload":"${secret}`),
    post({ 'content-type': 'text/plain' }, secret),
    post(json, JSON.stringify({ type: 'test.break', payload: { how: secret, secret } })),
    post(json, JSON.stringify({ type: 'test.break', payload: { how: 'throws', secret: `${secret}\u0000` } })),
    post(json, JSON.stringify({ secret: secret.repeat(50_000) })),
    fetch(`${url}/v1/jobs/${publicId('job', '01890000-0000-7000-8000-000000000000')}`, { headers: BEARER }),
    fetch(`${url}/v1/jobs/%ff`, { headers: BEARER }),
  ]);
  expect(replies.map(({ status }) => status)).toEqual([401, 401, 401, 400, 415, 422, 422, 413, 404, 400]);
}

/** Lets handlers fail in every way that they can, and the webhooks of their jobs too. */
async function failJobs(installation: Installation, hook: string): Promise<void> {
  const secret = CANARIES.payload;
  const webhook = { url: hook };
  const submitted = await Promise.all([
    ...['throws', 'throwsForGood', 'throwsObject', 'breaksResult'].map((how) =>
      submit(installation, { payload: { how, secret }, webhook }),
    ),
    submit(installation, { type: 'test.break-apart', payload: { secret }, webhook }),
    submit(installation, { type: 'http.request', payload: { url: hook, method: 'POST', body: secret } }),
    submit(installation, { type: 'http.request', payload: { url: `http://10.0.0.1/?${secret}` } }),
  ]);
  expect(submitted.map(({ status }) => status)).toEqual(submitted.map(() => 202));
  for (const reply of submitted.slice(0, 5)) {
    const { id } = (await reply.json()) as { id: string };
    await waitUntil(
      async () => {
        const job = await fetch(`${installation.url}/v1/jobs/${id}`, { headers: BEARER });
        return ((await job.json()) as { status: string }).status === 'failed';
      },
      { until: `${id} has failed`, timeoutMs: 20_000 },
    );
  }
  const deliveries = async () => {
    const jobs = await fetch(`${installation.url}/v1/jobs?type=webhook.deliver&status=retrying`, {
      headers: BEARER,
    });
    return ((await jobs.json()) as { data: object[] }).data.length >= 5;
  };
  await waitUntil(deliveries, { until: 'every webhook has failed once', timeoutMs: 20_000 });
}

/** Changes the password of Redis under the processes, so that they are refused when they connect again. */
async function distrust(url: string, password: string): Promise<void> {
  const client = new Redis(url, { password });
  await client.config('SET', 'requirepass', 'another');
  await client.client('KILL', 'SKIPME', 'yes', 'TYPE', 'normal');
  client.disconnect();
}

/** Changes the password in Postgres and ends all connections, so that they are refused when they connect again. */
async function breakConnections(url: string): Promise<void> {
  const db = openTestDatabase(url, 1);
  await sql`ALTER ROLE watched PASSWORD 'another'`.execute(db);
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'watched' AND pid <> pg_backend_pid()`.execute(db);
  await db.destroy();
}
