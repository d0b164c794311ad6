import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { Redis } from 'ioredis';
import { type QuickstartConfig, WORKSPACE } from './config.ts';
import { reasonOf, StartError } from './start-error.ts';

const REDIS_TIMEOUT_MS = 3_000;

/** Finds out, before anything is started, what would keep the api or the worker from starting. */
export async function checkSurroundings({
  HOST,
  PORT,
  REDIS_URL,
  JOBS_DIR,
}: QuickstartConfig): Promise<void> {
  await checkFolder(resolve(WORKSPACE, JOBS_DIR));
  await checkPort(HOST, PORT);
  if (REDIS_URL) await checkRedis(REDIS_URL);
}

async function checkFolder(jobsDir: string): Promise<void> {
  await readdir(jobsDir).catch((error: unknown) => {
    throw new StartError(
      `JOBS_DIR is ${jobsDir}, which cannot be read (${reasonOf(error)}): create that folder, or correct JOBS_DIR`,
    );
  });
}

function checkPort(host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', (error) => fail(new StartError(portSentence(host, port, error))));
    server.listen(port, host, () => server.close(() => done()));
  });
}

function portSentence(host: string, port: number, error: Error): string {
  const code = 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') {
    return `Port ${port} is busy: end what uses it, or choose another one, such as PORT=${port + 1} npm start`;
  }
  return `Nothing can listen on ${host}, port ${port} (${error.message}): choose others with HOST and PORT`;
}

async function checkRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: REDIS_TIMEOUT_MS,
    commandTimeout: REDIS_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Without a listener ioredis prints the error; the rejection below has it.
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const why = reasonOf(reason ?? error);
    throw new StartError(
      `Redis cannot be reached at REDIS_URL (${why}): start it, correct REDIS_URL, or unset it to do without Redis`,
    );
  } finally {
    redis.disconnect();
  }
}
