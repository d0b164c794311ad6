import { newUuid } from '@accepted/shared/core/job/id';
import { shelfName } from '@accepted/shared/engine/names';
import { commandRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBulkReplays } from '../../src/services/dead-letters/bulk-replay.ts';
import { startDeadLetterMirror } from '../../src/services/dead-letters/mirror.ts';
import { readReplay, replayAll } from './bulk-replay-rig.ts';
import { type MirrorRig, openMirrorRig } from './mirror-rig.ts';

/** More than a loop takes on at a time. */
const BROKEN_BULK_REPLAYS = 25;

let rig: MirrorRig;
beforeEach(async () => {
  rig = await openMirrorRig('redis');
});
afterEach(() => rig.close());

test('a queue whose entries cannot be read keeps no other queue from the board', async () => {
  const broken = rig.useFreshQueue();
  await rig.die();
  const key = `accepted:${shelfName(broken)}:failed`;
  await commandRedis(rig.redis?.url ?? '', 'SET', key, 'not a sorted set');
  rig.useFreshQueue();
  const { deadLetterId } = await rig.die();

  const logger = pino({ level: 'silent' });
  const options = { queueHasWork: () => undefined, logger };
  const mirror = startDeadLetterMirror({ db: rig.db, engine: rig.engine, ...options });
  await rig.entryOnceFailed(deadLetterId);
  await mirror.stop();
});

test('bulk replays that fail again and again keep no other from being carried out', async () => {
  const { db } = rig;
  rig.useFreshQueue();
  const [brokenTenant, soundTenant] = [newUuid(), newUuid()];
  await sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$`.execute(db);
  await sql
    .raw(`CREATE TRIGGER refuse BEFORE UPDATE ON bulk_replay_items FOR EACH ROW
      WHEN (NEW.tenant_id = '${brokenTenant}') EXECUTE FUNCTION refuse()`)
    .execute(db);
  await rig.dieTogether(1, brokenTenant);
  for (let made = 0; made < BROKEN_BULK_REPLAYS; made += 1) await replayAll(db, brokenTenant);
  await rig.dieTogether(3, soundTenant);
  const id = await replayAll(db, soundTenant);

  const errors: unknown[] = [];
  const loop = startBulkReplays({
    db,
    queueHasWork: () => undefined,
    onError: (error) => errors.push(error),
  });
  const allReplayed = async () => (await readReplay(db, soundTenant, id)).counts.replayed === 3;
  await waitUntil(allReplayed, { until: 'the jobs of the other tenant are replayed' });
  await loop.stop();
  expect(errors.length).toBeGreaterThan(0);
});
