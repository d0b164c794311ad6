import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 10;
const EVERY_MS = 20;

/** Guesses API keys: each has the form of one, and an id that nobody has asked for before. */
export const guessedKeys: Attack = {
  name: 'guessed-keys',
  does: `${CLIENTS} clients each send 50 requests a second, every one with another API key that does not exist.`,
  begin: async ({ url }) =>
    sendAgain(url, undefined, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [401],
      next: () => ({
        method: 'GET',
        path: '/v1/jobs',
        headers: { authorization: `Bearer ${generateApiKey().text}` },
      }),
    }),
};
