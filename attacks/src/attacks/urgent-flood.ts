import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 20;
const EVERY_MS = 50;
const JOB_MS = 50;

/** Submits far more jobs than can be run, all of them as urgent as can be said. */
export const urgentFlood: Attack = {
  name: 'urgent-flood',
  does: `${CLIENTS} clients submit some 400 \`critical\` jobs a second of ${JOB_MS} ms each, as many as the worker can do.`,
  begin: async ({ url, keyOfA }) => {
    const body = JSON.stringify({ type: 'attacks.echo', payload: { ms: JOB_MS }, priority: 'critical' });
    return sendAgain(url, keyOfA, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [202],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
  },
};
