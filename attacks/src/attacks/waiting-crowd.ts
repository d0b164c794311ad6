import { Pool } from 'undici';
import type { Attack } from '../attack.ts';
import { createTally } from '../tally.ts';

const CROWD = 2_000;
const JOB_MS = 3_000;
const WAIT_SECONDS = 20;
/** How an answer is counted that came at once, as too many waited. */
const NOT_WAITED = '200 without a wait';

/** Has a crowd wait for one job, which then ends for all of them at once; and again. */
export const waitingCrowd: Attack = {
  name: 'waiting-crowd',
  does: `${CROWD.toLocaleString('en')} requests wait for one job (\`Prefer: wait\`), which ends for all of them at once; and again.`,
  async begin({ url, keyOfA }) {
    const pool = new Pool(url, { connections: CROWD, pipelining: 1 });
    const over = new AbortController();
    const tally = createTally();
    const headers = { authorization: `Bearer ${keyOfA}`, 'content-type': 'application/json' };

    async function submit(): Promise<string> {
      const body = JSON.stringify({ type: 'attacks.echo', payload: { ms: JOB_MS } });
      const reply = await pool.request({ method: 'POST', path: '/v1/jobs', body, headers });
      return ((await reply.body.json()) as { id: string }).id;
    }

    async function wait(id: string): Promise<void> {
      const prefer = `wait=${WAIT_SECONDS}`;
      const request = { method: 'GET', path: `/v1/jobs/${id}`, headers: { ...headers, prefer } } as const;
      const reply = await pool.request({ ...request, signal: over.signal });
      await reply.body.dump();
      const hasWaited = reply.headers['preference-applied'] === prefer;
      tally.count(reply.statusCode === 200 && !hasWaited ? NOT_WAITED : reply.statusCode);
    }

    async function crowd(): Promise<void> {
      while (!over.signal.aborted) {
        const id = await submit();
        const failed = () => over.signal.aborted || tally.count('no answer');
        await Promise.all(Array.from({ length: CROWD }, () => wait(id).catch(failed)));
      }
    }

    const all = crowd().catch(() => undefined);
    return {
      done: () => tally.of([200]),
      got: tally.text,
      async stop() {
        over.abort();
        await all;
        await pool.destroy();
      },
    };
  },
};
