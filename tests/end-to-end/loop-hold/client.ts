import { parentPort, workerData } from 'node:worker_threads';

// Sends what it is told to from a thread of its own, so that what a request costs its client is not measured.

const { url, key } = workerData as { url: string; key: string };
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

parentPort?.on('message', async ({ path, body }: { path: string; body?: string }) => {
  const request = body === undefined ? { headers } : { method: 'POST', body, headers };
  const reply = await fetch(`${url}${path}`, request);
  await reply.arrayBuffer();
  parentPort?.postMessage(reply.status);
});
