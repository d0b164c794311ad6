import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, onTestFinished, test } from 'vitest';
import { sendAgain } from './requests.ts';

async function attackOn(statuses: number[], counts: number[]) {
  let n = 0;
  const server = createServer((_request, reply) => {
    reply.statusCode = statuses[n++ % statuses.length] ?? 200;
    reply.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const next = () => ({ method: 'GET', path: '/' }) as const;
  const attack = sendAgain(url, undefined, { clients: 1, everyMs: 1, next, counts });
  onTestFinished(async () => {
    await attack.stop();
    server.close();
  });
  await waitUntil(() => n >= 10, { until: 'ten requests were sent' });
  await attack.stop();
  return { done: attack.done(), got: attack.got() };
}

test('answers of another kind than the attack is about count for nothing', async () => {
  const { done, got } = await attackOn([401, 503], [202]);
  expect([done, got]).toEqual([0, expect.stringMatching(/^401 × \d+, 503 × \d+$|^503 × \d+, 401 × \d+$/)]);
});

test('those of the kind that it is about count', async () => {
  const { done, got } = await attackOn([503, 202], [202]);
  expect(done).toBeGreaterThanOrEqual(4);
  expect(got).toContain(`202 × ${done}`);
});
