import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { type DispatchTurn, dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { acceptedRedis } from '../contenders/accepted/accepted.ts';
import { percentile, spreadOf } from '../statistics/spread.ts';
import type { Servers } from '../world/servers.ts';
import { openStores } from '../world/stores.ts';
import { fillTenants, SLEEP } from './fill-tenants.ts';

/** What a turn for so many jobs takes beside what waits. */
export interface TurnTime {
  /** Tenants whose jobs wait, or jobs behind a full key. */
  waiting: number;
  medianMs: number;
  p95Ms: number;
}

const JOBS_A_TURN = 20;
const STATEMENT_TIMEOUT_MS = 60_000;
const READ_WHOLE_EVERY_MS = 10_000;

/** A ledger with a dispatcher and a worker, without an engine between them. */
interface TurnWorld extends AsyncDisposable {
  /** Takes a turn and works off what it has dispatched; answers the time of the turn. */
  step(): Promise<number>;
}

/** Measures turns behind full keys that have so many jobs waiting, round by round in turn. */
export function timeTurnsBehindKey(
  servers: Servers,
  counts: readonly number[],
  rounds: number,
): Promise<TurnTime[]> {
  return timeTurns(servers, counts, rounds, async ({ db, postgres, takeTurn, work }, jobs) => {
    const limit = 1;
    await fillTenants(postgres, { of: 'blocked', tenants: 1, jobs: jobs + limit, ms: 0, limit });
    let holders = 0;
    for (let turn = await takeTurn(100); ; turn = await takeTurn(100)) {
      holders += turn.jobs.length;
      if (!turn.moreToDo) break;
    }
    if (holders !== limit) throw new Error(`${holders} jobs hold a slot.`);
    const tenantId = newUuid();
    return async () => {
      await insertJobs(
        db,
        Array.from({ length: JOBS_A_TURN }, () => makeJob({ ...SLEEP, tenantId, payloadJson: '{"ms":0}' })),
      );
      return await work(() => takeTurn(JOBS_A_TURN + limit));
    };
  });
}

/** Measures turns while so many tenants have jobs waiting, round by round in turn. */
export function timeTurnsOfTenants(
  servers: Servers,
  counts: readonly number[],
  rounds: number,
): Promise<TurnTime[]> {
  return timeTurns(servers, counts, rounds, async ({ postgres, takeTurn, work }, tenants) => {
    // Nobody runs out of jobs on the way.
    await fillTenants(postgres, {
      of: 'many',
      tenants,
      jobs: Math.max(2 * tenants, 2 * rounds * JOBS_A_TURN),
      ms: 0,
    });
    return () => work(() => takeTurn(JOBS_A_TURN));
  });
}

interface Rig {
  db: Database;
  postgres: Awaited<ReturnType<typeof openStores>>['postgres'];
  takeTurn(room: number): Promise<DispatchTurn>;
  work(turn: () => Promise<DispatchTurn>): Promise<number>;
}

async function timeTurns(
  servers: Servers,
  counts: readonly number[],
  rounds: number,
  prepare: (rig: Rig, count: number) => Promise<() => Promise<number>>,
): Promise<TurnTime[]> {
  await using stack = new AsyncDisposableStack();
  const worlds: TurnWorld[] = [];
  for (const count of counts)
    worlds.push(stack.use(await openTurnWorld(servers, (rig) => prepare(rig, count))));
  const times = worlds.map(() => [] as number[]);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, world] of worlds.entries()) times[index]?.push(await world.step());
  return counts.map((waiting, index) => {
    const taken = times[index] ?? [];
    return { waiting, medianMs: spreadOf(taken).median, p95Ms: percentile(taken, 0.95) };
  });
}

async function openTurnWorld(
  servers: Servers,
  prepare: (rig: Rig) => Promise<() => Promise<number>>,
): Promise<TurnWorld> {
  await using stack = new AsyncDisposableStack();
  const stores = stack.use(await openStores(servers));
  await acceptedRedis.prepare(stores);
  const db = openDatabase(
    {
      ...{ url: stores.databaseUrl, applicationName: 'turns', maxConnections: 1, indexPlansOnly: true },
      ...{ connectTimeoutMs: STATEMENT_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
    },
    () => undefined,
  );
  stack.defer(() => db.destroy());
  await registerTestBuild(db, [SLEEP.type]);
  const workerId = newUuid();
  await registerWorker(db, {
    ...{ id: workerId, hostname: 'bench', pid: process.pid, queues: [SLEEP.queue], concurrency: JOBS_A_TURN },
    buildId: TEST_BUILD,
  });
  let picture: QueuePicture | undefined;
  let goodUntilMs = Number.NEGATIVE_INFINITY;
  /** As a dispatcher does beside its turns, whatever was told: this world may have waited for others to be made. */
  async function readWhole(): Promise<void> {
    if (performance.now() < goodUntilMs) return;
    picture = await surveyQueue(db, SLEEP.queue, picture);
    goodUntilMs = performance.now() + READ_WHOLE_EVERY_MS;
  }
  async function takeTurn(room: number): Promise<DispatchTurn> {
    const turn = await dispatchJobs(db, SLEEP.queue, testLane(room), { picture });
    picture = turn.picture;
    return turn;
  }
  async function work(take: () => Promise<DispatchTurn>): Promise<number> {
    await readWhole();
    const beganMs = performance.now();
    const { jobs } = await take();
    const tookMs = performance.now() - beganMs;
    if (jobs.length !== JOBS_A_TURN) throw new Error(`A turn dispatched ${jobs.length} jobs.`);
    const claimed = (await claimJobs(db, workerId, jobs)).flatMap((job) => job ?? []);
    const outcome = { kind: 'succeed', resultJson: 'null' } as const;
    await recordOutcomes(
      db,
      claimed.map((job) => ({ job, outcome })),
      { accepted: 'bench' },
    );
    return tookMs;
  }
  const step = await prepare({ db, postgres: stores.postgres, takeTurn, work });
  await stores.postgres.query('VACUUM (ANALYZE) jobs, attempts, ready, blocked, due, in_flight');
  const owned = stack.move();
  return { step, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
