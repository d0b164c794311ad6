import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 10;
const EVERY_MS = 100;
const PAYLOAD_BYTES = 60_000;

/** Fills Redis with what is shown of dead letters. */
export const largeDeadLetters: Attack = {
  name: 'large-dead-letters',
  does: `${CLIENTS} clients each submit ten jobs a second that die at once, with 60 kB of payload and a large stack.`,
  begin: async ({ url, keyOfA }) => {
    const payload = { text: 'x'.repeat(PAYLOAD_BYTES) };
    const body = JSON.stringify({ type: 'attacks.die', payload });
    return sendAgain(url, keyOfA, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [202],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
  },
};
