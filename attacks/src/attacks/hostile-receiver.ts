import type { Attack } from '../attack.ts';
import { startReceiver } from '../receiver.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 2;
const EVERY_MS = 500;

/** Has the platform call a server that never comes to an end. */
function hostileReceiver(name: string, does: string, start: string, more: string): Attack {
  return {
    name,
    does,
    async begin({ url, keyOfA }) {
      const receiver = await startReceiver((socket) => {
        const pour = () => {
          while (!socket.destroyed && socket.write(more));
        };
        socket.on('drain', pour);
        socket.write(start);
        pour();
      });
      const payload = { url: receiver.url, timeoutMs: 5_000 };
      const retry = { maxAttempts: 1 };
      const body = JSON.stringify({ type: 'http.request', payload, retry });
      const calls = sendAgain(url, keyOfA, {
        clients: CLIENTS,
        everyMs: EVERY_MS,
        counts: [202],
        next: () => ({ method: 'POST', path: '/v1/jobs', body }),
      });
      return {
        done: receiver.called,
        got: () => `${receiver.called()} calls came; ${calls.got()}`,
        async stop() {
          await calls.stop();
          receiver.stop();
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
