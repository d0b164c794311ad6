import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 2;
const EVERY_MS = 100;
/** So many fit into the largest body that is taken. */
const WRONG_VALUES = 340_000;

/** Sends a megabyte of values of which each is wrong. */
export const costlyFaults: Attack = {
  name: 'costly-faults',
  does: `${CLIENTS} clients send bodies of 1 MiB with ${WRONG_VALUES.toLocaleString('en')} values, each of them wrong.`,
  begin: async ({ url, keyOfA }) => {
    const events = `[${Array(WRONG_VALUES).fill('{}').join(',')}]`;
    const body = `{"type":"attacks.echo","payload":{},"webhook":{"url":"https://example.com","events":${events}}}`;
    return sendAgain(url, keyOfA, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [422],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
  },
};
