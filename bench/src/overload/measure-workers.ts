import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender } from '../contenders/contender.ts';
import { DRAIN_TIMEOUT_MS, USUAL_PAYLOAD_BYTES } from '../measures/sizes.ts';
import { submitAndDrain } from '../measures/submit-and-drain.ts';
import { STARTS_FILE, type StartLine } from '../noop.ts';
import { percentile } from '../statistics/spread.ts';
import { watchDrain } from '../world/drain.ts';
import type { Servers } from '../world/servers.ts';
import { openSession, type Session } from '../world/session.ts';
import { type Flooded, runFlood } from './run-flood.ts';

/** The workers are the bottleneck: one with ten handlers of 20 ms each, so 500 jobs a second less what it takes to bring them there. */
export const WORK = { slots: 10, workMs: 20 };
/** So many seconds of work may wait, where anything bounds it. */
export const BOUND_SECONDS = 2;

const ENVIRONMENT = { BENCH_CONCURRENCY: `${WORK.slots}`, WORKER_CONCURRENCY: `${WORK.slots}` };
/** Enough to run for some seconds, whatever it is that brings jobs to handlers. */
const WARM_UP_JOBS = 500;
const CAPACITY_SECONDS = 4;

/** What came of offering so many times as much as can be done. */
export interface OfferedTimes {
  times: number;
  offered: number;
  accepted: number;
  refused: number;
  /** Answered with anything but a 202, a 429 or one of the documented 503, or not at all. */
  otherErrors: number;
  /** Jobs that were started, by second of the load. */
  startedPerSecond: number;
  /** From when a request was due to its answer. */
  acceptP50Ms: number;
  acceptP99Ms: number;
  refuseP50Ms: number;
  refuseP99Ms: number;
  /** From when the job was due to be sent to the first line of its handler. */
  startP50Ms: number;
  startP99Ms: number;
}

export interface WorkersOverloaded {
  contender: string;
  /** Jobs a second that the workers can do. */
  capacity: number;
  /** How many jobs may wait, where anything bounds it. */
  maxBacklog: number | null;
  steps: OfferedTimes[];
}

export interface Steps {
  times: readonly number[];
  seconds: number;
}

/** Lays down how many jobs may wait; where a contender has no such thing nothing is done. */
export type LayDown = (session: Session, maxBacklog: number) => Promise<void>;

/** Offers a contender several times what one worker can do, each time on queues that have run empty. */
export async function measureWorkers(
  servers: Servers,
  contender: Contender,
  { times, seconds }: Steps,
  layDown: LayDown | undefined,
  say: (line: string) => void,
): Promise<WorkersOverloaded> {
  await using session = await openSession(servers, contender);
  await session.startWorkers(1, ENVIRONMENT);
  await submitAndDrain(session, WARM_UP_JOBS);
  const capacity = await measureCapacity(session);
  const maxBacklog = layDown ? Math.round(capacity * BOUND_SECONDS) : null;
  if (layDown && maxBacklog !== null) await layDown(session, maxBacklog);
  say(`${contender.title}: ${Math.round(capacity)} jobs/s`);
  const steps: OfferedTimes[] = [];
  let firstN = 1_000_000;
  for (const factor of times) {
    const step = await offer(session, { times: factor, perSecond: factor * capacity, seconds, firstN });
    firstN += step.offered;
    steps.push(step);
    say(
      `${contender.title}, ${factor} ×: accepted ${step.accepted}, refused ${step.refused}, other ${step.otherErrors}, ` +
        `202 p99 ${Math.round(step.acceptP99Ms)} ms, start p99 ${Math.round(step.startP99Ms)} ms`,
    );
  }
  return { contender: contender.name, capacity, maxBacklog, steps };
}

/** What is done a second while there is always more to do. */
async function measureCapacity(session: Session): Promise<number> {
  const perSecond = (WORK.slots / WORK.workMs) * 1_000;
  const { startedAt, answers } = await flood(session, {
    ...{ perSecond: 1.5 * perSecond, seconds: CAPACITY_SECONDS, firstN: 0 },
  });
  await watchDrain(session, DRAIN_TIMEOUT_MS);
  const starts = await readStarts(session);
  const [from, to] = [startedAt + 1_000, startedAt + CAPACITY_SECONDS * 1_000];
  const during = [...starts.values()].filter((at) => at >= from && at < to).length;
  if (answers.some(({ status }) => status !== 202))
    throw new Error('A job was refused while nothing bounds them.');
  return (during / (to - from)) * 1_000;
}

async function offer(
  session: Session,
  step: { times: number; perSecond: number; seconds: number; firstN: number },
): Promise<OfferedTimes> {
  await rm(join(session.stores.folder, STARTS_FILE), { force: true });
  const flooded = await flood(session, step);
  await watchDrain(session, DRAIN_TIMEOUT_MS);
  return sumUp(step, flooded, await readStarts(session));
}

function flood(
  { api: { url, headers }, stores }: Session,
  load: { perSecond: number; seconds: number; firstN: number },
): Promise<Flooded> {
  const { workMs } = WORK;
  return runFlood(stores.folder, { url, headers, payloadBytes: USUAL_PAYLOAD_BYTES, workMs, ...load });
}

async function readStarts({ stores }: Session): Promise<Map<number, number>> {
  const text = await readFile(join(stores.folder, STARTS_FILE), 'utf8');
  const lines = text.split('\n').filter(Boolean);
  return new Map(lines.map((line): StartLine => JSON.parse(line)).map(({ n, at }) => [n, at]));
}

const isRefusal = (status: number) => status === 429 || status === 503;

function sumUp(
  { times, seconds }: { times: number; seconds: number },
  { startedAt, unanswered, answers }: Flooded,
  starts: ReadonlyMap<number, number>,
): OfferedTimes {
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => isRefusal(status));
  const lost = accepted.find(({ n }) => !starts.has(n));
  if (lost) throw new Error(`Job ${lost.n} was accepted and never started.`);
  const acceptMs = accepted.map(({ dueAt, answeredAt }) => answeredAt - dueAt);
  const refuseMs = refused.map(({ sentAt, answeredAt }) => answeredAt - sentAt);
  const startMs = accepted.map(({ n, dueAt }) => (starts.get(n) ?? 0) - dueAt);
  const endedAt = startedAt + seconds * 1_000;
  const during = [...starts.values()].filter((at) => at >= startedAt && at < endedAt).length;
  return {
    times,
    offered: answers.length + unanswered,
    accepted: accepted.length,
    refused: refused.length,
    otherErrors: answers.length - accepted.length - refused.length + unanswered,
    startedPerSecond: during / seconds,
    acceptP50Ms: percentileOrNone(acceptMs, 0.5),
    acceptP99Ms: percentileOrNone(acceptMs, 0.99),
    refuseP50Ms: percentileOrNone(refuseMs, 0.5),
    refuseP99Ms: percentileOrNone(refuseMs, 0.99),
    startP50Ms: percentileOrNone(startMs, 0.5),
    startP99Ms: percentileOrNone(startMs, 0.99),
  };
}

/** 0 where there was none. */
function percentileOrNone(values: readonly number[], share: number): number {
  return values.length === 0 ? 0 : percentile(values, share);
}
