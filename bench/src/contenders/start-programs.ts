import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { request } from 'undici';
import { spawnProgram } from '../world/spawn-program.ts';
import type { Stores } from '../world/stores.ts';
import type { Api } from './contender.ts';

/** What a program of a contender is given beside its stores. */
export type Environment = Record<string, string>;

const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/node-compile-cache', import.meta.url),
);
const START_TIMEOUT_MS = 20_000;

/** Starts an API on a free port; `file` is relative to the workspace. */
export async function startApi(file: string, stores: Stores, env: Environment = {}): Promise<Api> {
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const process = startProgram(file, stores, { ...env, PORT: String(port) });
  await waitUntil(() => isReady(origin), { until: `${file} is ready`, timeoutMs: START_TIMEOUT_MS }).catch(
    (error) => {
      throw new Error(`${error.message}; it has printed:\n${process.lines.join('\n')}`);
    },
  );
  return { process, url: `${origin}/v1/jobs`, headers: { 'content-type': 'application/json' } };
}

/** Starts a worker, and waits until it says so. */
export async function startWorker(
  file: string,
  stores: Stores,
  env: Environment = {},
): Promise<SpawnedProcess> {
  const process = startProgram(file, stores, env);
  await process.waitForLine(/worker started/, START_TIMEOUT_MS);
  return process;
}

function startProgram(file: string, stores: Stores, env: Environment): SpawnedProcess {
  return spawnProgram(file, {
    env: {
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      DATABASE_URL: stores.databaseUrl,
      REDIS_URL: stores.redisUrl,
      BENCH_FOLDER: stores.folder,
      ...env,
    },
  });
}

async function isReady(origin: string): Promise<boolean> {
  const { statusCode, body } = await request(`${origin}/readyz`);
  await body.dump();
  return statusCode === 200;
}
