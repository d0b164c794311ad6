import { openRedisMemory } from '@accepted/testing/redis-memory';
import type { Attack } from '../attack.ts';
import { sendAgain } from '../requests.ts';

const CLIENTS = 10;
const EVERY_MS = 100;
/** About the largest payload that is copied for display; a larger one stays in the ledger. */
const PAYLOAD_BYTES = 8_000;
/** How full Redis is when it begins: so little is left that the bound is reached within a small run. */
const STARTS_AT_FULLNESS = 0.4;
/** The bound: beyond it the worker shows no more dead letters. */
const SHOWS_UNTIL_FULLNESS = 0.5;
const LOOK_MS = 50;

/** Fills Redis with what is shown of dead letters. */
export const largeDeadLetters: Attack = {
  name: 'large-dead-letters',
  does: `${CLIENTS} clients each submit ten jobs a second that die at once, with the largest payloads and stacks that are copied for display, on a Redis that is ${STARTS_AT_FULLNESS * 100} % full.`,
  async begin({ url, keyOfA, redisUrl }) {
    const memory = openRedisMemory(redisUrl);
    const atFirst = await memory.look();
    await memory.setMax(Math.ceil(atFirst.usedBytes / STARTS_AT_FULLNESS));
    const fullness = watchFullness(memory.look);
    const body = JSON.stringify({ type: 'attacks.die', payload: { text: 'x'.repeat(PAYLOAD_BYTES) } });
    const calls = sendAgain(url, keyOfA, {
      clients: CLIENTS,
      everyMs: EVERY_MS,
      counts: [202],
      next: () => ({ method: 'POST', path: '/v1/jobs', body }),
    });
    return {
      done: () => (fullness.most() > SHOWS_UNTIL_FULLNESS ? calls.done() : 0),
      got: () => `${calls.got()}; Redis was ${Math.round(100 * fullness.most())} % full at most`,
      async stop() {
        await calls.stop();
        await fullness.stop();
        await memory.setMax(atFirst.maxBytes);
        memory.close();
      },
    };
  },
};

/** Looks again and again how full a server is, and keeps the most that it was. */
function watchFullness(look: () => Promise<{ usedBytes: number; maxBytes: number }>) {
  let most = 0;
  let looking = Promise.resolve();
  const again = async () => {
    const { usedBytes, maxBytes } = await look();
    most = Math.max(most, usedBytes / maxBytes);
  };
  const timer = setInterval(() => {
    looking = looking.then(again);
  }, LOOK_MS);
  return {
    most: () => most,
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
