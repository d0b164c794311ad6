import {
  type BulkReplayRequest,
  cancelBulkReplay,
  createBulkReplay,
  findBulkReplay,
} from '@accepted/shared/database/bulk-replays';
import type { Database } from '@accepted/shared/database/connect';
import { discardDeadLetter } from '@accepted/shared/database/dead-letters';
import { newUuid, publicId } from '@accepted/shared/job/id';
import { openTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBulkReplays } from '../../src/dead-letters/bulk-replay.ts';
import { type MirrorRig, openMirrorRig } from './mirror-rig.ts';
import { openWorkerRig, type WorkerRig } from './worker-rig.ts';

const act = { actor: 'key_test', reason: 'the test says so' };

async function replayAll(
  db: Database,
  tenantId: string,
  options: Partial<BulkReplayRequest> = {},
): Promise<string> {
  const request = { tenantId, selection: { filter: {} }, act, canary: 0, ...options };
  const created = await createBulkReplay(db, request);
  if (!('replay' in created)) throw new Error('The bulk replay was not created.');
  return created.replay.id;
}

async function readReplay(db: Database, tenantId: string, id: string) {
  const found = await findBulkReplay(db, tenantId, id);
  if (!found) throw new Error('There is no such bulk replay.');
  return found;
}

async function untilFinished(db: Database, tenantId: string, id: string) {
  const isFinished = async () => (await readReplay(db, tenantId, id)).replay.finished_at !== null;
  await waitUntil(isFinished, { until: 'the bulk replay is finished', timeoutMs: 30_000 });
  return await readReplay(db, tenantId, id);
}

describe.each(['redis', 'postgres'] as const)('a bulk replay by workers on %s', (kind) => {
  let rig: WorkerRig;
  let runs: string[];
  let isMended: boolean;
  beforeAll(async () => {
    rig = await openWorkerRig(kind);
  });
  afterAll(() => rig.close());
  afterEach(() => rig.stopWorkers());

  /** Starts two workers and lets jobs die in them. */
  async function dieTogether(queue: string, count: number): Promise<string> {
    const tenantId = newUuid();
    runs = [];
    isMended = false;
    const run = (jobId: string) => {
      runs.push(jobId);
      if (!isMended) throw new Error('it is broken');
    };
    await Promise.all([rig.startWorker(queue, run), rig.startWorker(queue, run)]);
    await rig.dieInWorkers(queue, tenantId, count);
    return tenantId;
  }

  test('runs every job once more, the canaries first', async () => {
    const { db } = rig.database;
    const tenantId = await dieTogether('mended', 40);
    const died = [...runs];
    isMended = true;
    const id = await replayAll(db, tenantId, { canary: 3 });

    const { replay, counts } = await untilFinished(db, tenantId, id);
    expect(replay.status).toBe('completed');
    expect(counts).toEqual({ pending: 0, skipped: 0, replayed: 0, succeeded: 40, failed: 0 });
    const again = runs.slice(40);
    expect(again.toSorted()).toEqual(died.toSorted());
    const canaries = await db
      .selectFrom('bulk_replay_items')
      .select('job_id')
      .where('bulk_replay_id', '=', id)
      .orderBy('dead_letter_id')
      .limit(3)
      .execute();
    expect(new Set(again.slice(0, 3))).toEqual(
      new Set(canaries.map(({ job_id }) => publicId('job', job_id ?? ''))),
    );
  });

  test('stops when a canary fails again, and the rest stays dead', async () => {
    const { db } = rig.database;
    const tenantId = await dieTogether('broken', 20);
    const id = await replayAll(db, tenantId, { canary: 2 });

    const { replay, counts } = await untilFinished(db, tenantId, id);
    expect(replay.status).toBe('stopped');
    expect(counts).toEqual({ pending: 18, skipped: 0, replayed: 0, succeeded: 0, failed: 2 });
    expect(runs).toHaveLength(22);
    const audits = db.selectFrom('audit_log').select(['action', 'actor']);
    expect(await audits.where('target', '=', publicId('bulkReplay', id)).orderBy('id').execute()).toEqual([
      { action: 'bulk_replay.create', actor: 'key_test' },
      { action: 'bulk_replay.stop', actor: 'worker' },
    ]);
  });

  test('without canaries it goes on whatever becomes of the jobs', async () => {
    const { db } = rig.database;
    const tenantId = await dieTogether('hopeless', 10);
    const id = await replayAll(db, tenantId);

    const { replay, counts } = await untilFinished(db, tenantId, id);
    expect(replay.status).toBe('completed');
    expect(counts).toMatchObject({ pending: 0, failed: 10 });
    expect(runs).toHaveLength(20);
  });
});

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
    const loop = startBulkReplays({ db: own, onReplayed: () => undefined, onError });
    stops.push(async () => {
      await loop.stop();
      await own.destroy();
    });
  }

  async function replaysByJob(): Promise<number[]> {
    const rows = await db
      .selectFrom('jobs')
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
      await tx.selectFrom('jobs').select('id').where('tenant_id', '=', tenantId).forUpdate().execute();
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
    await discardDeadLetter(db, oldest?.id ?? '', act);
    startLoop();

    await waitUntil(async () => (await countsOf(id)).replayed === 2, { until: 'two canaries are replayed' });
    expect(await countsOf(id)).toMatchObject({ pending: 1, skipped: 1, replayed: 2 });
  });

  test('a canceled one replays no more and is finished when its jobs are', async () => {
    await rig.dieTogether(10, tenantId);
    const id = await replayAll(db, tenantId, { ratePerSecond: 4 });
    startLoop();
    await waitUntil(async () => (await countsOf(id)).replayed > 0, { until: 'the first is replayed' });

    expect(await cancelBulkReplay(db, { tenantId, id, act })).toBe(true);
    const { replayed } = await countsOf(id);
    await db
      .updateTable('jobs')
      .set({ status: 'succeeded' })
      .where('tenant_id', '=', tenantId)
      .where('status', '=', 'queued')
      .execute();
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
