import { connect } from 'node:net';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, onTestFinished, test } from 'vitest';
import { startReceiver } from './receiver.ts';

test('a receiver counts the calls that came, and no connection without one', async () => {
  const receiver = await startReceiver((socket) => void socket.write('x'));
  onTestFinished(receiver.stop);
  const { hostname, port } = new URL(receiver.url);
  const silent = connect(Number(port), hostname);
  const calling = connect(Number(port), hostname);
  onTestFinished(() => void [silent, calling].map((socket) => socket.destroy()));
  calling.write('GET / HTTP/1.1\r\n');
  await new Promise((resolve) => calling.once('data', resolve));
  await waitUntil(() => silent.readyState === 'open', { until: 'the silent one is connected' });
  expect([receiver.called(), receiver.atOnce()]).toEqual([1, 1]);
});
