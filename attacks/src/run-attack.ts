import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { bytesWithoutGarbage } from '@accepted/testing/bytes-without-garbage';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import type { Attack, RunningAttack } from './attack.ts';
import type { Latencies } from './quiet/measure.ts';
import type { Measured } from './verdict.ts';
import { watchMemory } from './world/memory.ts';
import type { World } from './world/world.ts';

/** Threads for large bodies, say, end some seconds after the last of them. */
const COMES_BACK_MS = 15_000;
const LOOK_MS = 1_000;
const NEARLY = 1.1;
const DRAINS_WITHIN_MS = 120_000;
/** The longest takes a connection that is cut off for what it does not read, and hears of it at the second or third probe. */
const COMES_ABOUT_WITHIN_MS = 90_000;
/** Requests, and jobs, of the quiet tenant: enough that the 95th percentile of three seconds is not the longest of all. */
const PER_SECOND = 40;
const WARM_UP = { seconds: 5, perSecond: 50 };

/** Measures what the quiet tenant has while nobody attacks, and nobody has: what an attack leaves behind counts for it. */
export async function measureAlone({ quietTenant }: World, seconds: number): Promise<Latencies> {
  // Lets code be compiled and pools be opened before anything is measured.
  await quietTenant.measure(WARM_UP);
  return await quietTenant.measure({ seconds, perSecond: PER_SECOND });
}

/** Measures the quiet tenant under attack, and the memory before, at its most, and without garbage when the attack is over. */
export async function runAttack(
  world: World,
  attack: Attack,
  seconds: number,
): Promise<Omit<Measured, 'alone' | 'judged'>> {
  const { processes } = world;
  const before = await held(processes);
  const memory = watchMemory(processes.map(({ pid }) => pid));
  const running = await attack.begin(world);
  await untilItComesAbout(running);
  const attacked = await world.quietTenant.measure({ seconds, perSecond: PER_SECOND });
  const [done, got] = [running.done(), running.got()];
  await running.stop();
  const most = await memory.stop();
  await drain(world);
  const after = await afterwards(processes, before);
  return { name: attack.name, does: attack.does, attacked, memory: { before, most, after }, done, got };
}

/** Beside an attack that has yet to do what it is for the quiet tenant would show nothing; one that never does is told by `judge`. */
async function untilItComesAbout({ done }: RunningAttack): Promise<void> {
  const until = 'the attack does what it is for';
  await waitUntil(() => done() > 0, { until, timeoutMs: COMES_ABOUT_WITHIN_MS }).catch(() => undefined);
}

/** What one attack left must not be charged to the next. */
async function drain({ db }: World): Promise<void> {
  const isDrained = async () => {
    await cancelHeld(db);
    const { rows } =
      await sql`SELECT FROM ready UNION ALL SELECT FROM due UNION ALL SELECT FROM in_flight LIMIT 1`.execute(
        db,
      );
    return rows.length === 0;
  };
  await waitUntil(isDrained, { until: 'all jobs have ended', timeoutMs: DRAINS_WITHIN_MS });
}

/** Of those that were to call a server that is gone one would try in minutes. */
async function cancelHeld(db: Database): Promise<void> {
  const { rows } = await sql<{ tenantId: string; jobId: string }>`
    SELECT tenant_id AS "tenantId", job_id AS "jobId" FROM due WHERE status = 'retrying'`.execute(db);
  for (const { tenantId, jobId } of rows) await cancelJob(db, tenantId, jobId);
}

async function held(processes: SpawnedProcess[]): Promise<number> {
  return (await Promise.all(processes.map(bytesWithoutGarbage))).reduce((sum, bytes) => sum + bytes, 0);
}

/** Answers what is held once it is about what it was, or at the end of the time for that. */
async function afterwards(processes: SpawnedProcess[], before: number): Promise<number> {
  const deadline = performance.now() + COMES_BACK_MS;
  let now = await held(processes);
  while (now > NEARLY * before && performance.now() < deadline) {
    await delay(LOOK_MS);
    now = await held(processes);
  }
  return now;
}
