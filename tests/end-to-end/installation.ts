import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import type { JobView } from '@accepted/shared/contract/job-view';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect } from 'vitest';

const ACCEPTS_WITHIN_MS = 60_000;
const JOBS_DIR = fileURLToPath(new URL('jobs', import.meta.url));

/** Accepted as it is deployed: an API process and any number of worker processes. */
export interface Installation {
  readonly url: string;
  readonly api: SpawnedProcess;
  /** A folder for what the handlers leave behind. */
  readonly folder: string;
  /** Starts a worker; `env` is what it has beside the environment of all. */
  startWorker(env?: Record<string, string>): Promise<SpawnedProcess>;
  request(path: string, init?: RequestInit): Promise<Response>;
  submit(body: object, headers?: Record<string, string>): Promise<Response>;
  /**
   * Submits a job until it is accepted: a machine that is busy with other tests may answer 503, and a client tries again
   * under its key. Fails at any other answer.
   */
  accept(body: object, headers?: Record<string, string>): Promise<JobView>;
  readJob(id: string): Promise<JobView>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface InstallationOptions {
  databaseUrl: string;
  redisUrl?: string | undefined;
  env?: Record<string, string>;
}

/** Starts the API; leases are short, so that a test does not wait long for a rescue. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'accepted-e2e-'));
  const key = generateApiKey().text;
  const env = {
    PORT: String(port),
    DATABASE_URL: options.databaseUrl,
    ...(options.redisUrl !== undefined && { REDIS_URL: options.redisUrl }),
    SECRETS_KEY: secretsKey,
    BOOTSTRAP_API_KEY: key,
    JOBS_DIR,
    LEASE_MS: '3000',
    HEARTBEAT_MS: '500',
    ...options.env,
  };
  const url = `http://127.0.0.1:${port}`;
  const processes = [spawnProcess('apps/api/src/main.ts', { env })];
  const [api] = processes as [SpawnedProcess];
  await waitUntil(async () => (await fetch(`${url}/readyz`)).ok, {
    until: 'the API is ready',
    timeoutMs: 60_000,
  });

  const submit = (body: object, headers: Record<string, string> = {}) =>
    request('/v1/jobs', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });

  async function accept(body: object, headers: Record<string, string> = {}): Promise<JobView> {
    const key = { 'idempotency-key': randomUUID(), ...headers };
    const answer = await waitUntil(
      async () => {
        const response = await submit(body, key);
        return response.status === 503 ? undefined : response;
      },
      { until: 'the API accepts a job', timeoutMs: ACCEPTS_WITHIN_MS },
    );
    expect(answer.status).toBe(202);
    return (await answer.json()) as JobView;
  }

  const request = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });

  return {
    url,
    api,
    folder,
    async startWorker(more = {}) {
      const worker = spawnProcess('apps/worker/src/main.ts', { env: { ...env, ...more } });
      processes.push(worker);
      await worker.waitForLine(/worker started/, 60_000);
      return worker;
    },
    request,
    submit,
    accept,
    async readJob(id) {
      return (await (await request(`/v1/jobs/${id}`)).json()) as JobView;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
