import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { replayAll, untilFinished } from './bulk-replay-rig.ts';
import { openWorkerRig, type WorkerRig } from './worker-rig.ts';

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
