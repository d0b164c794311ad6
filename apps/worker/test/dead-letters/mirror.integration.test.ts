import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import { shelfName } from '@accepted/shared/engine/names';
import { discardDeadLetter, replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { listResolvedMirrored } from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERROR, type MirrorRig, openMirrorRig } from './mirror-rig.ts';

const ACT = { actor: 'test', reason: 'the test says so' };

let rig: MirrorRig;
let queue: string;
const entries = () => rig.engine.store.queue(shelfName(queue));

describe.each(['redis', 'postgres'] as const)('dead letters in Bull Board on the %s engine', (kind) => {
  beforeAll(async () => {
    rig = await openMirrorRig(kind);
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    queue = rig.useFreshQueue();
  });
  afterEach(() => rig.stopMirrors());

  describe('shown', testShown);
  describe('bounded', testBounded);
  describe('retried', testRetried);
  describe('delivered again', testRedelivered);
  describe('resolved elsewhere', testResolvedElsewhere);
  describe('lost by the engine', testLost);
});

function testShown() {
  test('a dead letter is a failed entry with the error, stack, payload and context of its job', async () => {
    const job = await rig.die({
      requestId: 'req-1',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    });
    rig.startMirror();

    const entry = await rig.entryOnceFailed(job.deadLetterId);
    expect(entry.name).toBe('test.noop');
    expect(entry.failedReason).toBe(ERROR.message);
    expect(entry.stacktrace).toEqual([ERROR.stack]);
    expect(entry.data).toMatchObject({
      jobId: publicId('job', job.id),
      deadLetterId: publicId('deadLetter', job.deadLetterId),
      payload: { page: 42 },
      error: ERROR,
      reason: 'attempts_exhausted',
      attemptsMade: 1,
      maxAttempts: 3,
      tenantId: publicId('tenant', job.tenantId),
      queue,
      requestId: 'req-1',
      traceId: 'a'.repeat(32),
      workerId: publicId('worker', job.workerId),
      versions: { accepted: '1.2.3' },
    });
    expect(entry.data.failedAt).toMatch(/^\d{4}-.*Z$/);
    expect(entry.data.fingerprint).toMatch(/./);
  });

  test('several mirrors make one entry', async () => {
    const { deadLetterId } = await rig.die();
    rig.startMirror();
    rig.startMirror();
    rig.startMirror();

    await rig.entryOnceFailed(deadLetterId);
    expect(await entries().getJobCounts('failed', 'waiting', 'active')).toEqual({
      failed: 1,
      waiting: 0,
      active: 0,
    });
    expect(await rig.audits(deadLetterId)).toEqual([]);
  });

  test('what an engine cannot store, or takes for an order, is shown all the same', async () => {
    const { deadLetterId } = await rig.die(
      { payloadJson: JSON.stringify({ text: '\ud800', long: 'x' }), metadata: { a: 'b' } },
      { ...ERROR, message: 'bullmq:rateLimitExceeded' },
    );
    const large = await rig.die({ payloadJson: JSON.stringify('x'.repeat(100_000)) });
    rig.startMirror();

    expect((await rig.entryOnceFailed(deadLetterId)).failedReason).toContain('bullmq:rateLimitExceeded');
    expect((await rig.entryOnceFailed(large.deadLetterId)).data.payload).toMatch(
      /^\(100002 bytes, too large/,
    );
  });
}

function testBounded() {
  const shownIds = async () => (await entries().getRanges(['failed'], 0, -1)).sort();
  const newest = async (count: number) => {
    const open = rig.db.selectFrom('dead_letters').select('id').where('queue', '=', queue);
    const rows = await open.where('resolution', 'is', null).orderBy('id', 'desc').limit(count).execute();
    return rows.map(({ id }) => publicId('deadLetter', id)).sort();
  };
  const untilNewestAreShown = (count: number) =>
    waitUntil(async () => String(await shownIds()) === String(await newest(count)), {
      until: `the newest ${count} are shown, and no other`,
      timeoutMs: 20_000,
    });

  test('no more are shown than there is room for: the newest', async () => {
    await rig.dieTogether(12);
    rig.startMirror(undefined, 5);

    await untilNewestAreShown(5);
  });

  test('newer ones take the place of the oldest, which stay open', async () => {
    await rig.dieTogether(5);
    rig.startMirror(undefined, 5);
    await untilNewestAreShown(5);
    await rig.dieTogether(3);
    rig.startMirror(undefined, 5);

    await untilNewestAreShown(5);
    expect(await newest(100)).toHaveLength(8);
  });

  test('more than there is room for, as two mirrors filled it, are no more than it: the newest', async () => {
    await rig.dieTogether(8);
    const roomy = rig.startMirror(undefined, 7);
    await untilNewestAreShown(7);
    await roomy.stop();

    rig.startMirror(undefined, 5);
    await untilNewestAreShown(5);
  });

  test('an entry of which the ledger does not know makes way as any other', async () => {
    await rig.die();
    await rig.addEntry();
    await rig.dieTogether(6);

    rig.startMirror(undefined, 5);
    await untilNewestAreShown(5);
  });

  test('older ones come back when newer ones are resolved', async () => {
    await rig.dieTogether(6);
    rig.startMirror(undefined, 4);
    await untilNewestAreShown(4);
    for (const id of (await newest(100)).slice(-2)) {
      await discardDeadLetter(rig.db, parsePublicId('deadLetter', id) ?? '', ACT);
    }

    await untilNewestAreShown(4);
  });
}

function testRetried() {
  test('retrying replays the same job once, tells so, and the entry goes', async () => {
    const job = await rig.die();
    const replayed: string[] = [];
    rig.startMirror((name) => replayed.push(name));
    const entry = await rig.entryOnceFailed(job.deadLetterId);

    await entry.retry('failed');
    await rig.untilGone(job.deadLetterId);

    expect(await rig.readJob(job.id)).toMatchObject({ status: 'queued', replay_round: 1, attempts_made: 0 });
    expect(replayed).toEqual([queue]);
    expect(await rig.audits(job.deadLetterId)).toEqual([
      { actor: 'bull-board', action: 'dead_letter.replay' },
    ]);
  });

  test('a job that dies again after its replay has a new entry', async () => {
    const job = await rig.die();
    rig.startMirror();
    await (await rig.entryOnceFailed(job.deadLetterId)).retry('failed');
    await rig.untilGone(job.deadLetterId);

    const second = await rig.dieAgain(job, { ...ERROR, message: 'again' });
    expect(second).not.toBe(job.deadLetterId);
    expect((await rig.entryOnceFailed(second)).failedReason).toBe('again');
  });

  test('a replay that fails leaves the entry as it was, to be tried again', async () => {
    const { id, deadLetterId } = await rig.die();
    rig.startMirror();
    const entry = await rig.entryOnceFailed(deadLetterId);
    await failWith(id, null);
    await entry.retry('failed');
    await waitUntil(async () => (await entries().getJobLogs(entry.id ?? '')).count === 1, {
      until: 'the failure is in the log of the entry',
    });
    const again = await rig.entryOnceFailed(deadLetterId);
    expect(again).toMatchObject({ failedReason: ERROR.message, stacktrace: [ERROR.stack] });
    expect(await rig.audits(deadLetterId)).toEqual([]);

    await failWith(id, deadLetterId);
    await again.retry('failed');
    await rig.untilGone(deadLetterId);
    expect((await rig.readJob(id)).status).toBe('queued');
  });

  test('retrying one that is already resolved replays nothing, and the entry goes', async () => {
    const { id, deadLetterId } = await rig.die();
    const mirror = rig.startMirror();
    const entry = await rig.entryOnceFailed(deadLetterId);
    await mirror.stop();
    await replayDeadLetter(rig.db, deadLetterId, ACT);
    await entry.retry('failed');

    rig.startMirror();
    await rig.untilGone(deadLetterId);
    expect(await rig.readJob(id)).toMatchObject({ status: 'queued', replay_round: 1 });
    expect(await rig.audits(deadLetterId)).toHaveLength(1);
  });
}

function testRedelivered() {
  test('a first run that is lost with its worker is delivered again, and is no retry', async () => {
    const { id, deadLetterId } = await rig.die();
    await rig.addEntry();
    const crashing = rig.engine.store.openWorker(shelfName(queue), () => new Promise<void>(() => undefined), {
      concurrency: 1,
    });
    await waitUntil(async () => (await entries().getActiveCount()) === 1, { until: 'the run is under way' });
    await crashing.close(true);

    rig.startMirror();
    const entry = await rig.entryOnceFailed(deadLetterId, 40_000);
    expect(entry.attemptsStarted).toBe(2);
    expect(entry.failedReason).toBe(ERROR.message);
    expect((await rig.readJob(id)).status).toBe('failed');
    expect(await rig.audits(deadLetterId)).toEqual([]);
  });
}

function testResolvedElsewhere() {
  test.each([
    ['replayed', replayDeadLetter],
    ['discarded', discardDeadLetter],
  ] as const)('a dead letter that is %s elsewhere leaves', async (_, resolve) => {
    const { deadLetterId } = await rig.die();
    rig.startMirror();
    await rig.entryOnceFailed(deadLetterId);

    await resolve(rig.db, deadLetterId, ACT);
    await rig.untilGone(deadLetterId);
    await waitUntil(async () => (await listResolvedMirrored(rig.db, queue, 1)).length === 0, {
      until: 'nobody has to remove it any more',
    });
  });

  test('an old entry of a resolved dead letter, back from a restored dump, leaves', async () => {
    const { id, deadLetterId } = await rig.die();
    await rig.addEntry();
    await replayDeadLetter(rig.db, deadLetterId, ACT);

    rig.startMirror();
    await rig.entryOnceFailed(deadLetterId);
    await rig.untilGone(deadLetterId, 20_000);
    expect(await rig.readJob(id)).toMatchObject({ status: 'queued', replay_round: 1 });
  });
}

function testLost() {
  test('an entry that the engine lost is shown again, and its dead letter stays open', async () => {
    const { deadLetterId } = await rig.die();
    rig.startMirror();
    const entry = await rig.entryOnceFailed(deadLetterId);

    await entry.remove();
    await rig.entryOnceFailed(deadLetterId, 20_000);
    expect(await rig.audits(deadLetterId)).toEqual([]);
  });
}

/** Names the dead letter with which the job failed. */
async function failWith(jobId: string, deadLetterId: string | null) {
  await sql`UPDATE attempts SET dead_letter_id = ${deadLetterId} WHERE job_id = ${jobId}`.execute(rig.db);
}
