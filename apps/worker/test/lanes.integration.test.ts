import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { laneName } from '@accepted/shared/engine/names';
import { listBuildsToRemove } from '@accepted/shared/ledger/workers/builds';
import { waitUntil } from '@accepted/testing/wait-until';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startLaneRemover } from '../src/services/maintenance/lane-remover.ts';
import { CONFIG, useWorkers } from './use-workers.ts';

const n = z.number().int();
/** Three builds of one type: the second takes more than the first, and the third nothing of what they take. */
const first = (queue: string, run: (payload: { n: number }) => Promise<string> = async () => 'first') =>
  defineJob({ type: `${queue}.greet`, queue, payload: z.strictObject({ n }), run });
const second = (queue: string, run = async () => 'second') =>
  defineJob({
    type: `${queue}.greet`,
    queue,
    payload: z.strictObject({ n, lang: z.string().optional() }),
    run,
  });
const third = (queue: string) =>
  defineJob({
    type: `${queue}.greet`,
    queue,
    payload: z.strictObject({ who: z.string() }),
    run: () => 'third',
  });
const other = (queue: string) =>
  defineJob({ type: `${queue}.other`, queue, payload: z.unknown(), run: () => 'other' });

describe.each(['redis', 'postgres'] as const)('lanes on %s', (kind) => {
  const workers = useWorkers(kind);
  const { startBuild, submit, readJob, reaches } = workers;
  const greet = (queue: string, payload: object, count = 1) =>
    submit(queue, { type: `${queue}.greet`, payloadJson: JSON.stringify(payload), maxAttempts: 1 }, count);
  const greetOne = async (queue: string, payload: object) => (await greet(queue, payload))[0]?.id ?? '';

  /** A job of the other type that came later has run: whatever waits does not hide it, and was seen to wait. */
  async function anotherPasses(queue: string): Promise<void> {
    const [passing] = await submit(queue, { type: `${queue}.other` });
    expect(await reaches(passing?.id ?? '', 'succeeded')).toMatchObject({ result: 'other' });
  }

  test('a job of a type that no worker has waits, hides no other, and runs when one comes', async () => {
    await startBuild(other('absent'));
    const jobs = await greet('absent', { n: 1 }, 500);
    await anotherPasses('absent');
    for (const { id } of jobs.slice(0, 3))
      expect(await readJob(id)).toMatchObject({ status: 'queued', dispatch_no: 0, attempt: 0 });
    await startBuild(first('absent'));
    for (const { id } of jobs) expect(await reaches(id, 'succeeded')).toMatchObject({ attempts_made: 1 });
  });

  test('a backlog from before a deploy runs with the schema that the deploy brings', async () => {
    const old = await startBuild(first('backlog'));
    await old.stop();
    const jobs = await greet('backlog', { n: 1 }, 50);
    await startBuild(second('backlog'));
    for (const { id } of jobs)
      expect(await reaches(id, 'succeeded')).toMatchObject({
        result: 'second',
        attempt: 1,
        attempts_made: 1,
      });
  });

  test('a job whose payload no build takes waits, counts no attempt, and runs when a build comes that takes it', async () => {
    await startBuild(third('refused'), other('refused'));
    const id = await greetOne('refused', { n: 1, lang: 'de' });
    await waitUntil(async () => (await readJob(id)).refused_by?.length === 1, { until: 'it was tried' });
    await anotherPasses('refused');
    expect(await readJob(id)).toMatchObject({ status: 'queued', attempt: 1, attempts_made: 0, error: null });
    await startBuild(first('refused'));
    await waitUntil(async () => (await readJob(id)).refused_by?.length === 2, {
      until: 'it was tried again',
    });
    await startBuild(second('refused'));
    expect(await reaches(id, 'succeeded')).toMatchObject({ result: 'second', attempt: 3, attempts_made: 1 });
    expect((await workers.attemptsOf(id)).map(({ outcome }) => outcome)).toEqual([
      'released',
      'released',
      'succeeded',
    ]);
  });

  test('a payload that only a refinement refuses is a dead letter', async () => {
    const even = n.refine((value) => value % 2 === 0, 'must be even');
    const payload = z.object({ n: z.string().transform(Number).pipe(even) });
    await startBuild(defineJob({ type: 'even.greet', queue: 'even', payload, run: ({ n }) => n }));
    const odd = await greetOne('even', { n: '1' });
    expect(await reaches(odd, 'failed')).toMatchObject({ error: { code: 'invalid_payload' } });
    expect((await workers.attemptsOf(odd)).map(({ outcome }) => outcome)).toEqual(['failed']);
    expect(await reaches(await greetOne('even', { n: '2' }), 'succeeded')).toMatchObject({ result: 2 });
  });

  test('while one build is busy the other one runs its own jobs at once, and nothing is dispatched in circles', async () => {
    const gate = Promise.withResolvers<string>();
    await startBuild(first('busy', () => gate.promise));
    await startBuild(other('busy'));
    const jobs = await greet('busy', { n: 1 }, 200);
    const isFull = async () => {
      const running = workers.database.db
        .selectFrom('current_jobs')
        .select('id')
        .where('type', '=', 'busy.greet');
      return (await running.where('status', '=', 'running').execute()).length >= CONFIG.WORKER_CONCURRENCY;
    };
    await waitUntil(isFull, { until: 'every hand is full' });
    const startedMs = performance.now();
    for (let round = 0; round < 5; round += 1) await anotherPasses('busy');
    // A queue that is only polled would be looked at twice a second.
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    gate.resolve('late');
    for (const { id } of jobs) expect(await reaches(id, 'succeeded')).toMatchObject({ attempts_made: 1 });
    const rows = await workers.database.db
      .selectFrom('current_jobs')
      .select((eb) => eb.fn.sum<string>('dispatch_no').as('dispatches'))
      .where('type', '=', 'busy.greet')
      .executeTakeFirstOrThrow();
    expect(Number(rows.dispatches)).toBeLessThan(2 * jobs.length);
  });

  test('what waits for the last worker of a build is run by another build when that worker stops', async () => {
    const run = async ({ n }: { n: number }) => (n === 0 ? 'quick' : delay(60_000, 'held', { ref: false }));
    const holding = await startBuild(first('leaving', run));
    // Only of handlers that are known to be quick more are in a lane than it has slots.
    await reaches(await greetOne('leaving', { n: 0 }), 'succeeded');
    const jobs = await greet('leaving', { n: 1 }, CONFIG.WORKER_CONCURRENCY + 1);
    const inLane = async () => {
      const rows = await Promise.all(jobs.map(({ id }) => readJob(id)));
      return Object.groupBy(rows, ({ status, dispatched_at }) =>
        status === 'queued' && dispatched_at !== null ? 'waits' : status === 'running' ? 'runs' : 'else',
      );
    };
    await waitUntil(async () => !(await inLane()).else, { until: 'all are in the lane' });
    // At the latest when every hand is full.
    expect((await inLane()).waits?.length).toBeGreaterThan(0);
    await startBuild(second('leaving'));
    const stopped = holding.stop();
    for (const { id } of jobs)
      expect(await reaches(id, 'succeeded')).toMatchObject({ result: 'second', attempts_made: 1 });
    await stopped;
  });

  test('the lanes of a build that is gone are removed, and are there again when it comes back', async () => {
    const gone = await startBuild(first('removed'));
    await reaches(await greetOne('removed', { n: 1 }), 'succeeded');
    const served = workers.database.db
      .selectFrom('build_types')
      .select('build_id')
      .where('type', '=', 'removed.greet');
    const { build_id: buildId } = await served.executeTakeFirstOrThrow();
    const { engine, db } = await startBuild(other('removed'));
    await gone.stop();
    const lane = engine.store.queue(laneName({ queue: 'removed', buildId }));
    await lane.add('left', {});
    const remover = startLaneRemover({
      db,
      engine,
      retentionDays: 30,
      goneForMs: 0,
      logger: pino({ level: 'silent' }),
      onError: (error) => expect.unreachable(String(error)),
    });
    await waitUntil(async () => !(await listBuildsToRemove(db, 0)).some(({ id }) => id === buildId), {
      until: 'the lane is removed',
    });
    await remover.stop();
    expect(await lane.count()).toBe(0);
    await startBuild(first('removed'));
    await reaches(await greetOne('removed', { n: 2 }), 'succeeded');
  });
});
