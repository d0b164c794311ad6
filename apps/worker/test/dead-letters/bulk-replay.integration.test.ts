import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { cancelBulkReplay } from '@accepted/shared/ledger/dead-letters/bulk-replays';
import { discardDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { finishJobs } from '@accepted/testing/move-jobs';
import { openTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBulkReplays } from '../../src/services/dead-letters/bulk-replay.ts';
import { ACT, readReplay, replayAll, untilFinished } from './bulk-replay-rig.ts';
import { type MirrorRig, openMirrorRig } from './mirror-rig.ts';

describe('the loops that carry bulk replays out', () => {
  let rig: MirrorRig;
  let db: Database;
  let tenantId: string;
  const errors: unknown[] = [];
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    rig = await openMirrorRig('postgres');
    db = rig.db;
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.useFreshQueue();
    tenantId = newUuid();
    errors.length = 0;
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  /** Starts a loop on connections of its own, as a process has them. */
  function startLoop(name = 'loop') {
    const own = openTestDatabase(`${rig.url}?application_name=${name}`);
    const onError = (error: unknown) => errors.push(error);
    const loop = startBulkReplays({ db: own, queueHasWork: () => undefined, onError });
    stops.push(async () => {
      await loop.stop();
      await own.destroy();
    });
  }

  async function replaysByJob(): Promise<number[]> {
    const rows = await db
      .selectFrom('current_jobs')
      .select('replay_round')
      .where('tenant_id', '=', tenantId)
      .execute();
    return rows.map((row) => row.replay_round);
  }

  const auditsOf = (action: string) =>
    db
      .selectFrom('audit_log')
      .select(['target', 'created_at'])
      .where('tenant_id', '=', tenantId)
      .where('action', '=', action)
      .orderBy('created_at')
      .execute();

  const countsOf = async (id: string) => (await readReplay(db, tenantId, id)).counts;

  test('many at once replay each dead letter once, with one audit row', async () => {
    await rig.dieTogether(1_200, tenantId);
    const ids = await Promise.all([replayAll(db, tenantId), replayAll(db, tenantId)]);
    for (let n = 0; n < 4; n += 1) startLoop();

    const pending = async () => {
      const counts = await Promise.all(ids.map(countsOf));
      return counts.reduce((sum, count) => sum + count.pending, 0);
    };
    await waitUntil(async () => (await pending()) === 0, { until: 'nothing is pending', timeoutMs: 30_000 });
    const [first, second] = await Promise.all(ids.map(countsOf));
    expect(await replaysByJob()).toEqual(Array(1_200).fill(1));
    const audits = await auditsOf('dead_letter.replay');
    expect(new Set(audits.map(({ target }) => target)).size).toBe(1_200);
    expect(audits).toHaveLength(1_200);
    expect((first?.replayed ?? 0) + (second?.replayed ?? 0)).toBe(1_200);
    expect((first?.skipped ?? 0) + (second?.skipped ?? 0)).toBe(1_200);
    expect(errors).toEqual([]);
  });

  test('a process that dies in the middle of a step leaves nothing half done', async () => {
    await rig.dieTogether(5, tenantId);
    const id = await replayAll(db, tenantId);
    const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
    const isLocked = Promise.withResolvers<void>();
    const holder = db.transaction().execute(async (tx) => {
      // The step resolves the dead letters before it puts the jobs back, and waits there.
      await sql`LOCK TABLE ready IN EXCLUSIVE MODE`.execute(tx);
      isLocked.resolve();
      await mayEnd;
    });
    await isLocked.promise;
    startLoop('dying');
    const waiting = async () => {
      const { rows } = await sql<{ pid: number }>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
        db,
      );
      return rows[0]?.pid;
    };
    const pid = await waitUntil(waiting, { until: 'the step waits in its middle' });
    await Promise.all(
      stops
        .splice(0)
        .map((stop) => Promise.all([stop(), sql`SELECT pg_terminate_backend(${pid})`.execute(db)])),
    );
    release();
    await holder;

    expect(await countsOf(id)).toMatchObject({ pending: 5, replayed: 0 });
    expect(await replaysByJob()).toEqual(Array(5).fill(0));
    expect(await auditsOf('dead_letter.replay')).toEqual([]);

    startLoop();
    await waitUntil(async () => (await countsOf(id)).replayed === 5, { until: 'another went on' });
    expect(await replaysByJob()).toEqual(Array(5).fill(1));
  });

  test('the rate holds over all of them', async () => {
    await rig.dieTogether(40, tenantId);
    const id = await replayAll(db, tenantId, { ratePerSecond: 20 });
    for (let n = 0; n < 3; n += 1) startLoop();

    await waitUntil(async () => (await countsOf(id)).replayed === 40, { until: 'all are replayed' });
    const { replay } = await readReplay(db, tenantId, id);
    const times = (await auditsOf('dead_letter.replay')).map(
      ({ created_at }) => (created_at.getTime() - replay.created_at.getTime()) / 1_000,
    );
    // Never more than the rate allows since the start: the burst makes up for the time before, not ahead of it.
    for (const [index, seconds] of times.entries())
      expect(seconds).toBeGreaterThanOrEqual((index + 1) / 20 - 0.01);
    expect(times.at(-1)).toBeLessThan(6);
  });

  test('the time in which no worker ran is not made up for', async () => {
    await rig.dieTogether(30, tenantId);
    const id = await replayAll(db, tenantId, { ratePerSecond: 10 });
    await db
      .updateTable('bulk_replays')
      .set({ spent_until: new Date(0) })
      .where('id', '=', id)
      .execute();
    startLoop();

    await waitUntil(async () => (await countsOf(id)).replayed > 0, { until: 'the first are replayed' });
    const [first] = await auditsOf('dead_letter.replay');
    const together = (await auditsOf('dead_letter.replay')).filter(
      ({ created_at }) => created_at.getTime() === first?.created_at.getTime(),
    );
    expect(together).toHaveLength(5);
  });

  test('what somebody else resolved meanwhile is skipped, and another canary is taken for it', async () => {
    await rig.dieTogether(4, tenantId);
    const id = await replayAll(db, tenantId, { canary: 2 });
    const [oldest] = await db
      .selectFrom('dead_letters')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .orderBy('id')
      .execute();
    await discardDeadLetter(db, oldest?.id ?? '', ACT);
    startLoop();

    await waitUntil(async () => (await countsOf(id)).replayed === 2, { until: 'two canaries are replayed' });
    expect(await countsOf(id)).toMatchObject({ pending: 1, skipped: 1, replayed: 2 });
  });

  test('a canceled one replays no more and is finished when its jobs are', async () => {
    await rig.dieTogether(10, tenantId);
    const id = await replayAll(db, tenantId, { ratePerSecond: 4 });
    startLoop();
    await waitUntil(async () => (await countsOf(id)).replayed > 0, { until: 'the first is replayed' });

    expect(await cancelBulkReplay(db, { tenantId, id, act: ACT })).toBe(true);
    const { replayed } = await countsOf(id);
    await finishJobs(db, { which: sql`tenant_id = ${tenantId}` });
    const { replay, counts } = await untilFinished(db, tenantId, id);
    expect(replay.status).toBe('canceled');
    expect(counts).toMatchObject({ pending: 10 - replayed, succeeded: replayed });
    expect(errors).toEqual([]);
  });

  test('one that matched nothing is completed at once', async () => {
    const id = await replayAll(db, tenantId, { canary: 5 });
    startLoop();

    expect((await untilFinished(db, tenantId, id)).replay.status).toBe('completed');
  });
});
