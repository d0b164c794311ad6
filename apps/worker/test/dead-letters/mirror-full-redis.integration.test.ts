import { shelfName } from '@accepted/shared/engine/names';
import { commandRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type MirrorRig, openMirrorRig } from './mirror-rig.ts';

const MAX_BYTES = 8 * 2 ** 20;
const LARGE = { payloadJson: JSON.stringify({ text: 'x'.repeat(7_500) }) };
/** Together more than half of the memory. */
const LETTERS = 600;
/** More than where they give way. */
const NEARLY_FULL = 0.8;

let rig: MirrorRig;
beforeAll(async () => {
  rig = await openMirrorRig('redis', ['--maxmemory', String(MAX_BYTES), '--maxmemory-policy', 'noeviction']);
});
afterEach(() => rig.stopMirrors());
afterAll(async () => {
  await rig.close();
});

test('dead letters are shown in half of the memory at most, and give way when what delivers jobs needs the rest', async () => {
  const entries = rig.engine.store.queue(shelfName(rig.useFreshQueue()));
  const shown = () => entries.getJobCountByTypes('failed', 'waiting', 'active');
  for (let letter = 0; letter < LETTERS; letter += 1) await rig.die(LARGE);
  rig.startMirror();
  await waitUntil(async () => (await rig.engine.fullness()) > 0.5, { until: 'half of it is full' });
  await waitUntil(async () => (await entries.getFailedCount()) === (await shown()), {
    until: 'none is added',
  });
  const most = await shown();
  expect(most).toBeLessThan(LETTERS);
  expect(await rig.engine.fullness()).toBeLessThan(0.75);

  const others: string[] = [];
  const redisUrl = rig.redis?.url ?? '';
  // In small pieces: Redis holds each a second time while it reads it, and takes none once it is full.
  while ((await rig.engine.fullness()) <= NEARLY_FULL) {
    others.push(`other-${others.length}`);
    await commandRedis(redisUrl, 'SET', others.at(-1) ?? '', 'x'.repeat(0.01 * MAX_BYTES));
  }
  await waitUntil(async () => (await shown()) < most && (await rig.engine.fullness()) <= 0.75, {
    until: 'entries have given way',
    timeoutMs: 20_000,
  });
  await commandRedis(redisUrl, 'DEL', ...others);
  await waitUntil(async () => (await rig.engine.fullness()) > 0.5, {
    until: 'they are shown again',
    timeoutMs: 20_000,
  });
});
