import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL_CONTENDERS } from '../src/contenders/all-contenders.ts';
import { runClosedLoop, runOpenLoop, runPickUps } from '../src/load/run-load.ts';
import { now } from '../src/noop.ts';
import { startCpuCount } from '../src/world/cpu.ts';
import { watchDrain } from '../src/world/drain.ts';
import { type Servers, startServers } from '../src/world/servers.ts';
import { openSession } from '../src/world/session.ts';

const JOBS = 20;
const limit = ALL_CONTENDERS.filter(({ runsJobs }) => !runsJobs);
const withWorkers = ALL_CONTENDERS.filter(({ runsJobs }) => runsJobs);

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

test('a contender is measured on a Postgres and a Redis that keep what they confirm', async () => {
  await using session = await openSession(servers, limit[0] as (typeof limit)[0]);
  const { postgres, redis } = session.stores;
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    expect((await postgres.query(`SHOW ${setting}`)).rows[0]).toEqual({ [setting]: 'on' });
  expect(await redis.config('GET', 'append*')).toEqual(
    expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'everysec']),
  );
  const { url, headers } = session.api;
  const target = { url, headers, payloadBytes: 200 };
  expect(await runClosedLoop({ ...target, connections: 2, jobs: JOBS })).toMatchObject({ accepted: JOBS });
});

test.each(withWorkers)(
  '$name takes jobs, keeps them, runs them and tells when each was done',
  async (contender) => {
    await using session = await openSession(servers, contender);
    const { stores, api } = session;
    const target = { url: api.url, headers: api.headers };
    const load = { ...target, payloadBytes: 200 };
    const readCpu = await startCpuCount(session);

    const { accepted } = await runClosedLoop({ ...load, connections: 2, jobs: JOBS });
    expect(accepted).toBe(JOBS);
    expect(await contender.countUnfinished(stores)).toBe(JOBS);

    await session.startWorkers(1);
    await watchDrain(session, 10_000);
    await contender.rememberOutcomes?.(stores);
    const { startedAt } = await runOpenLoop({ ...load, perSecond: 100, seconds: 0.2 });
    await watchDrain(session, 10_000);
    const outcomes = (await contender.listOutcomes(stores)).filter(({ at }) => at >= startedAt);
    expect(outcomes.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: JOBS }, (_, n) => n),
    );
    expect(outcomes.every(({ at }) => at <= now())).toBe(true);

    const { folder } = stores;
    expect(await runPickUps({ ...target, folder, count: 2, seconds: 10 })).toMatchObject({ jobs: 2 });
    const cpu = await readCpu();
    if (cpu) expect(cpu.apiUs).toBeGreaterThan(0);
  },
);

test('a request that is refused fails the load', async () => {
  await using session = await openSession(servers, limit[0] as (typeof limit)[0]);
  const { url, headers } = session.api;
  const tooLarge = { url, headers, payloadBytes: 1_100_000 };
  await expect(runClosedLoop({ ...tooLarge, connections: 1, jobs: 1 })).rejects.toThrow();
  await expect(runOpenLoop({ ...tooLarge, perSecond: 1, seconds: 1 })).rejects.toThrow('1 of 1 requests');
});
