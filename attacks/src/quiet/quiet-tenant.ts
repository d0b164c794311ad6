import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'undici';
import type { Extent, Latencies } from './measure.ts';

// Tenant B, in a thread of its own, so that what an attack costs its own client does not count: some requests and some
// jobs a second, whatever becomes of those before (open loop).

const JOB_WAIT_SECONDS = 20;

const { url, key } = workerData as { url: string; key: string };
const pool = new Pool(url, { connections: 50, pipelining: 1 });
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

async function ask(latencies: Latencies): Promise<void> {
  const startedAt = performance.now();
  const reply = await pool.request({ method: 'GET', path: '/v1/jobs?limit=1', headers });
  await reply.body.dump();
  if (reply.statusCode !== 200) latencies.refused += 1;
  latencies.requestMs.push(performance.now() - startedAt);
}

async function runJob(latencies: Latencies): Promise<void> {
  const startedAt = performance.now();
  const body = JSON.stringify({ type: 'attacks.echo', payload: {} });
  const prefer = `wait=${JOB_WAIT_SECONDS}`;
  const reply = await pool.request({
    method: 'POST',
    path: '/v1/jobs',
    body,
    headers: { ...headers, prefer },
  });
  await reply.body.dump();
  // 202: it was taken, and did not end in time.
  if (![200, 202].includes(reply.statusCode)) latencies.refused += 1;
  latencies.jobMs.push(performance.now() - startedAt);
}

async function work({ seconds, perSecond }: Extent): Promise<Latencies> {
  const latencies: Latencies = { requestMs: [], jobMs: [], refused: 0 };
  const failed = () => {
    latencies.refused += 1;
  };
  const everyMs = 1_000 / perSecond;
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  for (let n = 0; n < seconds * perSecond; n += 1) {
    await delay(Math.max(0, startedAt + n * everyMs - performance.now()));
    all.push(ask(latencies).catch(failed), runJob(latencies).catch(failed));
  }
  await Promise.all(all);
  return latencies;
}

parentPort?.on('message', async (extent: Extent) => parentPort?.postMessage(await work(extent)));
