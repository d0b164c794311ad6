import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { secretsKey } from '@accepted/testing/secrets-key';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { expect } from 'vitest';
import { buildApp } from '../src/app.ts';
import { BOUNDS } from '../src/bounds.ts';
import { configSchema } from '../src/config.ts';
import { closePools } from '../src/pools/pools.ts';
import { type ApiUnderTest, openTestPools, PATIENT_MS, startApi } from './api-under-test.ts';

export interface SubmitOptions {
  app?: FastifyInstance;
  key?: string;
  headers?: Record<string, string>;
}

/** An API and another process of it on the same ledger, and what is laid down for both. */
export interface TwoProcesses extends AsyncDisposable {
  api: ApiUnderTest;
  other: FastifyInstance;
  ownTenant(): Promise<string>;
  /** Changes what holds, such as for `queues/default`, and waits until both processes go by it: within a second. */
  layDown(what: string, rules: object): Promise<void>;
  submit(options?: SubmitOptions): Promise<LightMyRequestResponse>;
  /** Submits so many jobs, one after the other. */
  statusesOf(count: number, options?: SubmitOptions): Promise<number[]>;
}

/** Starts another process on a ledger. */
export async function startProcess(databaseUrl: string): Promise<AsyncDisposable & { app: FastifyInstance }> {
  const config = parseConfig(configSchema, {
    DATABASE_URL: databaseUrl,
    SECRETS_KEY: secretsKey,
    PUBLIC_URL: 'https://jobs.test',
    DATABASE_LATENCY_BUDGET_MS: PATIENT_MS,
  });
  const pools = openTestPools(config);
  const app = await buildApp({ pools, logger: pino({ level: 'silent' }) }, config, BOUNDS);
  return {
    app,
    async [Symbol.asyncDispose]() {
      await app.close();
      await closePools(pools);
    },
  };
}

export async function startTwoProcesses(): Promise<TwoProcesses> {
  const api = await startApi();
  const other = await startProcess(api.url);

  const submit = ({ app = api.app, key = api.key, headers = {} }: SubmitOptions = {}) =>
    app.inject({
      ...{ method: 'POST', url: '/v1/jobs', payload: { type: 'test.echo', payload: {} } },
      headers: { authorization: `Bearer ${key}`, ...headers },
    });

  return {
    api,
    other: other.app,
    submit,
    async ownTenant() {
      const { data } = (await api.send('GET', '/v1/tenants')).json();
      return data.find(({ name }: { name: string }) => name === 'default').id;
    },
    async layDown(what, rules) {
      const reply = await api.send('PATCH', `/v1/${what}`, { body: rules });
      expect(reply.statusCode).toBe(200);
      expect(reply.json()).toMatchObject(rules);
      const changedAtMs = performance.now();
      await waitUntil(() => performance.now() - changedAtMs > 1_000, { until: 'a second has passed' });
    },
    async statusesOf(count, options) {
      const statuses: number[] = [];
      for (let sent = 0; sent < count; sent += 1) statuses.push((await submit(options)).statusCode);
      return statuses;
    },
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

export const times = (count: number, status: number) => Array.from({ length: count }, () => status);
