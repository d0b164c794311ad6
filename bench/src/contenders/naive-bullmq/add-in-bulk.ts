import { Queue } from 'bullmq';
import { makePayload } from '../../payload.ts';
import type { Stores } from '../../world/stores.ts';
import { QUEUE } from '../settings.ts';

const BULK = 5_000;

/** Adds jobs as the API of this contender does, but many at a time. */
export async function addInBulk(stores: Stores, jobs: number, payloadBytes: number): Promise<void> {
  const queue = new Queue(QUEUE, { connection: { url: stores.redisUrl } });
  try {
    for (let first = 0; first < jobs; first += BULK) {
      const length = Math.min(BULK, jobs - first);
      const payloads = Array.from({ length }, (_, index) => makePayload(first + index, payloadBytes));
      await queue.addBulk(payloads.map((data) => ({ name: 'noop', data })));
    }
  } finally {
    await queue.close();
  }
}
