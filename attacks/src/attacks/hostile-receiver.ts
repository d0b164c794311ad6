import type { Socket } from 'node:net';
import type { Attack } from '../attack.ts';
import { startReceiver } from '../receiver.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 2;
const EVERY_MS = 500;
/** Calls that fail open a circuit breaker, origin by origin: of one alone hardly any would be made. */
const ORIGINS = 20;

/** Has the platform call servers that never come to an end. */
function hostileReceiver(name: string, does: string, start: string, more: string): Attack {
  return {
    name,
    does,
    async begin({ url, keyOfA }) {
      const flood = (socket: Socket) => {
        const pour = () => {
          while (!socket.destroyed && socket.write(more));
        };
        socket.on('drain', pour);
        socket.write(start);
        pour();
      };
      const receivers = await Promise.all(Array.from({ length: ORIGINS }, () => startReceiver(flood)));
      const bodies = receivers.map(({ url: target }) =>
        JSON.stringify({
          type: 'http.request',
          payload: { url: target, timeoutMs: 5_000 },
          retry: { maxAttempts: 1 },
        }),
      );
      let turn = 0;
      const called = () => receivers.reduce((sum, receiver) => sum + receiver.called(), 0);
      const calls = sendAgain(url, keyOfA, {
        clients: CLIENTS,
        everyMs: EVERY_MS,
        counts: [202],
        next: () => ({ method: 'POST', path: '/v1/jobs', body: bodies[turn++ % ORIGINS] ?? '' }),
      });
      return {
        done: called,
        got: () => `${called()} calls came; ${calls.got()}`,
        async stop() {
          await calls.stop();
          for (const receiver of receivers) receiver.stop();
        },
      };
    },
  };
}

export const endlessInterimReplies = hostileReceiver(
  'endless-interim-replies',
  'Jobs call a server that answers `103 Early Hints` without end.',
  '',
  'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'.repeat(200),
);

export const endlessChunkExtensions = hostileReceiver(
  'endless-chunk-extensions',
  'Jobs call a server whose reply has chunks of one byte, each with 10 kB of extensions, without end.',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  `1;${'x'.repeat(10_000)}\r\na\r\n`,
);
