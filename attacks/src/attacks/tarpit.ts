import type { Attack } from '../attack.ts';
import { startReceiver } from '../receiver.ts';
import { sendAgain } from '../requests.ts';

const CALLS = 80;
/** Longer than any size of a run, so that no call ends while others are measured. */
const TIMEOUT_MS = 60_000;

/** Has the platform call a server that takes the connection and never answers. */
export const tarpit: Attack = {
  name: 'tarpit',
  does: `${CALLS} jobs call a server that takes each connection and answers nothing until the call's timeout.`,
  async begin({ url, keyOfA }) {
    const receiver = await startReceiver((socket) => socket.resume());
    const payload = { url: receiver.url, timeoutMs: TIMEOUT_MS };
    const body = JSON.stringify({ type: 'http.request', payload, retry: { maxAttempts: 1 } });
    const calls = sendAgain(url, keyOfA, {
      clients: CALLS,
      everyMs: TIMEOUT_MS,
      counts: [202],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
    return {
      done: receiver.called,
      got: () => `${receiver.atOnce()} calls at once; ${calls.got()}`,
      async stop() {
        await calls.stop();
        receiver.stop();
      },
    };
  },
};
