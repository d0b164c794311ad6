import { parentPort } from 'node:worker_threads';
import type { ToThread } from '../thread-protocol.ts';
import '../outbound-thread.ts';

// The thread of outbound calls, but that some of them are the end of it, as a fault in it would be.

parentPort?.on('message', (message: ToThread) => {
  const path = message.kind === 'call' ? new URL(message.request.url).pathname : '';
  if (path === '/die') throw new Error('This thread was asked to die.');
  while (path === '/hang');
});
