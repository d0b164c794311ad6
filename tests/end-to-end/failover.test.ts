import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setReadOnly } from '@accepted/testing/ask-server';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { freeze, type Pair, sessionsTo, startPair, startReceiver, workersIn } from './failover-rig.ts';
import { type Installation, startInstallation } from './installation.ts';

/** The default. */
const LEASE_MS = 15_000;
const HEARTBEAT_MS = 500;
/** The API gives up after 900 ms; the rest is for a machine that runs other tests as well. */
const REFUSED_WITHIN_MS = 4_000;
const FOUND_WITHIN_MS = 3_000;
const RESUMES_WITHIN_MS = 5_000;
/** A statement on a link that is dead is given up after 6 s by the API, after 11 s by a worker. */
const RESUMES_FROM_DEAD_LINKS_WITHIN_MS = 15_000;
/** Nothing that is measured: two servers and two processes start on a machine that is busy. */
const STARTS_WITHIN_MS = 30_000;
const TEST_TIMEOUT_MS = 240_000;
/** Each of a connection of its own. */
const OWN_SESSIONS = ['accepted-worker-listen', 'accepted-api-listener', 'accepted-worker-heartbeat'];

interface Answer {
  status: number;
  tookMs: number;
}

async function timed(answer: Promise<Response>): Promise<Answer> {
  const startedAt = performance.now();
  const { status } = await answer;
  return { status, tookMs: performance.now() - startedAt };
}

const readyz = (installation: Installation) => timed(fetch(`${installation.url}/readyz`));

/** Submits a job under one key until it is accepted: on a busy machine the first statements may take too long. */
async function accepted(installation: Installation, job: object): Promise<string> {
  const headers = { 'idempotency-key': JSON.stringify(job) };
  return await waitUntil(
    async () => {
      const reply = await installation.submit(job, headers);
      return reply.ok ? ((await reply.json()) as { id: string }).id : undefined;
    },
    { until: 'a job is accepted', timeoutMs: STARTS_WITHIN_MS },
  );
}

/** Submits until a job is accepted again; answers the refusals before. */
async function submitUntilAccepted(
  installation: Installation,
  job: object,
  withinMs: number,
): Promise<Answer[]> {
  const refused: Answer[] = [];
  const isAccepted = async () => {
    const answer = await timed(installation.submit(job));
    if (answer.status === 202) return true;
    refused.push(answer);
    return false;
  };
  await waitUntil(isAccepted, { until: 'a job is accepted again', timeoutMs: withinMs });
  return refused;
}

async function startOn(pair: Pair, redisUrl: string | undefined): Promise<Installation> {
  return await startInstallation({
    databaseUrl: pair.databaseUrl,
    redisUrl,
    env: {
      LEASE_MS: String(LEASE_MS),
      HEARTBEAT_MS: String(HEARTBEAT_MS),
      ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
    },
  });
}

/** Asks the API while nothing takes writes: it finds out by itself, and promises nothing. */
async function expectRefusals(installation: Installation, job: object): Promise<void> {
  await waitUntil(async () => (await readyz(installation)).status === 503, {
    until: 'the API says that it is not ready',
    timeoutMs: FOUND_WITHIN_MS,
  });
  for (let tries = 1; tries <= 5; tries += 1) {
    const refusal = await timed(installation.submit(job));
    expect(refusal.status).toBe(503);
    expect(refusal.tookMs).toBeLessThan(REFUSED_WITHIN_MS);
  }
}

/** Starts a job that goes on until the file `end` is there; answers its id. */
async function startLongJob(installation: Installation, runs: string, end: string): Promise<string> {
  const id = await accepted(installation, { type: 'test.wait-until-let-go', payload: { runs, file: end } });
  const isRunning = async () => (await readFile(runs, 'utf8')).includes(id);
  await waitUntil(isRunning, { until: 'the job runs', timeoutMs: STARTS_WITHIN_MS });
  return id;
}

async function expectHeartbeats(pair: Pair, workerId: string | undefined): Promise<void> {
  const isBeating = async () => {
    const [worker] = await workersIn(pair.replica, pair);
    return worker !== undefined && worker.silentMs < 2 * HEARTBEAT_MS;
  };
  await waitUntil(isBeating, { until: 'heartbeats go through' });
  expect(await workersIn(pair.replica, pair)).toMatchObject([{ id: workerId, isLost: false }]);
}

async function statusOf(answer: Promise<Response>): Promise<string> {
  return ((await (await answer).json()) as { status: string }).status;
}

function namesOfEnded(processes: Record<string, SpawnedProcess>): string[] {
  const ended: string[] = [];
  for (const [name, { exited }] of Object.entries(processes)) void exited.then(() => ended.push(name));
  return ended;
}

describe.each(['redis', 'postgres'] as const)('on the %s engine', (kind) => {
  test('after a failover all goes on by itself: nobody is restarted, no job runs twice, nothing is promised meanwhile', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    await using redis = await createTestRedis();
    await using pair = await startPair();
    const { primary, replica, proxy } = pair;
    using receiver = await startReceiver();
    await using installation = await startOn(pair, kind === 'redis' ? redis.url : undefined);
    const worker = await installation.startWorker();
    const [before] = await workersIn(primary, pair);
    const ended = namesOfEnded({ api: installation.api, worker });
    const [runs, end] = [join(installation.folder, 'runs'), join(installation.folder, 'end')];
    const id = await startLongJob(installation, runs, end);
    await waitUntil(async () => (await readyz(installation)).status === 200, { until: 'the API is ready' });

    // The old primary is demoted; its sessions stay open.
    await setReadOnly(primary, true);
    const demotedAt = performance.now();
    const append = { type: 'test.append-line', payload: { file: `${runs}.lines`, n: 1 } };
    await expectRefusals(installation, append);
    await replica.promote();
    proxy.retarget({ host: '127.0.0.1', port: replica.port });
    const refused = await submitUntilAccepted(installation, append, RESUMES_WITHIN_MS);
    expect(refused.every(({ status }) => status === 503)).toBe(true);
    expect((await readyz(installation)).status).toBe(200);

    // The worker has kept its lease, and its job.
    await expectHeartbeats(pair, before?.id);
    expect(performance.now() - demotedAt).toBeLessThan(LEASE_MS);
    await writeFile(end, '');
    await waitUntil(async () => (await installation.readJob(id)).status === 'succeeded', {
      until: 'the job that ran meanwhile is recorded',
    });
    expect((await readFile(runs, 'utf8')).trimEnd().split('\n')).toEqual([`${id} 1`]);

    // Hints and webhooks go through the new primary.
    const webhook = { url: receiver.url };
    expect(await statusOf(installation.submit({ ...append, webhook }, { prefer: 'wait=10' }))).toBe(
      'succeeded',
    );
    await waitUntil(() => receiver.received.length > 0, { until: 'the webhook arrives' });
    expect(await sessionsTo(primary, pair)).toEqual([]);
    expect(await sessionsTo(replica, pair)).toEqual(expect.arrayContaining(OWN_SESSIONS));
    expect(ended).toEqual([]);
  });
});

test('after a failover from a primary that answers nothing, dead sessions are given up within seconds', {
  timeout: TEST_TIMEOUT_MS,
}, async () => {
  await using pair = await startPair();
  const { primary, replica, proxy } = pair;
  await using installation = await startOn(pair, undefined);
  await installation.startWorker();
  const [before] = await workersIn(primary, pair);
  const append = { type: 'test.append-line', payload: { file: join(installation.folder, 'lines'), n: 1 } };
  await accepted(installation, append);
  await Promise.all(Array.from({ length: 20 }, () => installation.submit(append)));
  using _frozen = await freeze(primary);

  await replica.promote();
  proxy.retarget({ host: '127.0.0.1', port: replica.port });

  const refused = await submitUntilAccepted(installation, append, RESUMES_FROM_DEAD_LINKS_WITHIN_MS);
  expect(refused.every(({ status, tookMs }) => status === 503 && tookMs < REFUSED_WITHIN_MS)).toBe(true);
  expect(await statusOf(installation.submit(append, { prefer: 'wait=15' }))).toBe('succeeded');
  await expectHeartbeats(pair, before?.id);
});
