import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 60;
const EVERY_MS = 1_000;
const BACKSLASHES = 500_000;

/** Sends the largest payloads that are taken, of the character that costs the most to write down. */
export const largestPayloads: Attack = {
  name: 'largest-payloads',
  does: `${CLIENTS} clients each submit a job a second with 1 MB of backslashes.`,
  begin: async ({ url, keyOfA }) => {
    const payload = { text: '\\'.repeat(BACKSLASHES) };
    const body = JSON.stringify({ type: 'attacks.echo', payload });
    return sendAgain(url, keyOfA, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [202],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
  },
};
