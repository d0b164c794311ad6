import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { nameCommit } from '@accepted/testing/name-commit';
import { boundType } from './bounded-type.ts';
import { callTheRoll } from './call-the-roll.ts';
import { drain } from './drain.ts';
import type { FaultKind, JobKind } from './kinds.ts';
import { startLimitedTenants } from './limited-tenants.ts';
import { type Client, openClient } from './load/client.ts';
import { makeJob, type ReceiverUrls } from './load/mix.ts';
import { replayDeadLetters } from './load/replay-dead-letters.ts';
import { type LoadProgress, startLoad } from './load/run-load.ts';
import { LOG_FILES, type RunFacts } from './logs.ts';
import { ALL_FAULTS, NEVER_RUN } from './nemesis/all-faults.ts';
import { whyNoSmallDisk } from './nemesis/postgres/fill-disk.ts';
import { type NemesisProgress, startNemesis } from './nemesis/run-nemesis.ts';
import { scheduleFaults } from './nemesis/schedule.ts';
import { faultSeconds, loadSeconds, type RunOptions } from './options.ts';
import { describeProgress } from './progress.ts';
import { createRandom } from './random.ts';
import { STEADY_WAITING, startSteadyTenants } from './steady-tenants.ts';
import { listWrongBacklogs } from './told-backlogs.ts';
import { weighTenants } from './weigh-tenants.ts';
import { whyNoCertificates } from './world/certificates.ts';
import { exportLedger } from './world/export-ledger.ts';
import { countJobs } from './world/ledger.ts';
import { measureMemory } from './world/measure-memory.ts';
import { stopProcesses, stopServers } from './world/stop-world.ts';
import { LEASE_MS, type Preloads, startWorld, type World } from './world/world.ts';

export interface FaultRun
  extends Pick<RunOptions, 'size' | 'engine' | 'jobs' | 'faults' | 'seed' | 'minutes'> {
  /** Gets all the logs. */
  folder: string;
  command: string;
  /** Gets a line about the run every few seconds. */
  onProgress: (line: string) => void;
  /** Modules to load into the processes under test first; a checker's own tests break them so. */
  preloads?: Preloads;
  /** The kinds of faults to draw from; all when left out. */
  only?: readonly FaultKind[];
  /** How many processes there are; two APIs and three workers when left out. */
  processes?: Processes;
  /** How long a process may take to end in order; as long as by default when left out. */
  shutdownTimeoutMs?: number;
  /**
   * Tells from the ledger, when load and faults are over, that the rest of the run can show nothing more: jobs that
   * have not ended are not waited for then, and the roll is not called.
   */
  isShown?: (db: Database) => Promise<boolean>;
}

interface Processes {
  apis: number;
  workers: number;
}

const PROCESSES: Processes = { apis: 2, workers: 3 };
const PROGRESS_EVERY_MS = 5_000;
/** With more that wait beside what is kept waiting, a slow machine would spend a long run on its backlog, and each fault would wait behind it. */
const MOST_OPEN = 700 + STEADY_WAITING;
/** Of the time that a run has, the last part is for draining and for writing everything down. */
const SHARE_FOR_LOAD = 0.8;
const SHARE_FOR_DRAINING = 0.95;

/** Runs load and faults against real processes, and leaves in the folder everything that the checker needs. */
export async function runFaults(options: FaultRun): Promise<void> {
  const startedAt = Date.now();
  const notRun = await listNotRun(options);
  const commit = await nameCommit(import.meta.dirname);
  options.onProgress('starting Postgres, Redis, APIs and workers');
  const world = await startWorld({
    ...options,
    ...(options.processes ?? PROCESSES),
    preloads: options.preloads ?? {},
  });
  const until = (share: number) => AbortSignal.timeout(options.minutes * 60_000 * share);
  const [loadDeadline, drainDeadline] = [until(SHARE_FOR_LOAD), until(SHARE_FOR_DRAINING)];
  const stopMeasuring = measureMemory(world);
  try {
    const times = await loadAndBreak(world, options, notRun, loadDeadline, drainDeadline);
    stopMeasuring();
    const problems = [...times.problems, ...(await stopProcesses(world))];
    await world.ledger.ask((db) => exportLedger(db, options.folder));
    const { seed, size, engine, jobs, faults, command } = options;
    const servers = nameServers(world);
    const asked = { seed, size, engine, jobs, faults, command, commit, servers, leaseMs: LEASE_MS, notRun };
    const run: RunFacts = { ...asked, startedAt, ...times, problems, endedAt: Date.now() };
    await writeFile(join(options.folder, LOG_FILES.run), `${JSON.stringify(run, undefined, 2)}\n`);
  } finally {
    stopMeasuring();
    await stopProcesses(world);
    await stopServers(world);
  }
}

function nameServers({ postgres, redis }: World): string {
  return [`PostgreSQL ${postgres.version}`, ...(redis ? [`Redis ${redis.version}`] : [])].join(', ');
}

async function listNotRun({ engine }: FaultRun): Promise<RunFacts['notRun']> {
  const noDisk = await whyNoSmallDisk();
  const noTls = await whyNoCertificates();
  const other =
    engine === 'redis' ? 'the tables of BullMQ: it runs on Redis' : 'Redis: BullMQ runs on Postgres';
  return [
    ...NEVER_RUN,
    ...(noTls ? [{ kind: 'receiver-untrusted', reason: noTls }] : []),
    ...(noDisk ? [{ kind: 'postgres-disk-full', reason: noDisk }] : []),
    { kind: `faults of ${other.split(':')[0]}`, reason: other.split(': ')[1] ?? other },
  ];
}

type Times = Pick<RunFacts, 'loadStartedAt' | 'loadEndedAt' | 'drainedAt' | 'problems'>;

async function loadAndBreak(
  world: World,
  options: FaultRun,
  notRun: RunFacts['notRun'],
  loadDeadline: AbortSignal,
  drainDeadline: AbortSignal,
): Promise<Times> {
  const { seed } = options;
  const seconds = loadSeconds(options);
  const leftOut = new Set([...notRun.map(({ kind }) => kind), ...kindsBeside(options.only)]);
  const faultsWithin = { count: options.faults, seconds: faultSeconds(options) };
  const schedule = scheduleFaults({ ...options, ...faultsWithin, leftOut });
  const { client, receivers, submit, history } = openClients(world, seed, loadDeadline);
  await boundType(world);
  const tenants = options.isShown ? undefined : await startTenants(world, submit, loadDeadline);
  const loadStartedAt = Date.now();
  const nemesis = startNemesis({ world, schedule, submit, deadline: loadDeadline });
  history.since = nemesis.since;
  let open = 0;
  const load = startLoad({
    ...{ client, seed, seconds, jobs: options.jobs, deadline: loadDeadline },
    isBehind: () => options.size !== 'small' && open > MOST_OPEN,
    receivers,
    secondsNeeded: nemesis.secondsNeeded,
    faultsDone: nemesis.done,
  });
  const repaired = new AbortController();
  const replays = replayDeadLetters(world, client, repaired.signal);
  const progress = setInterval(async () => {
    const counts = await world.ledger.ask(countJobs).catch(() => undefined);
    open = counts?.open ?? open;
    options.onProgress(
      describeProgress({ world, load, nemesis, startedAt: loadStartedAt, ...options }, counts),
    );
  }, PROGRESS_EVERY_MS);
  try {
    await Promise.all([load.done, nemesis.done]);
    const loadEndedAt = Date.now();
    const wrongUnderLoad = await listWrongBacklogs(world);
    await tenants?.stop();
    repaired.abort();
    await replays;
    const drainedAt = await drain(world, drainDeadline, options.isShown);
    await nemesis.settled;
    if (drainedAt !== null && !options.isShown) await weighTenants(world, submit);
    const deaf = drainedAt === null ? [] : await callTheRoll(world, submit);
    await drain(world, drainDeadline, options.isShown);
    const wrong = [...wrongUnderLoad, ...(await listWrongBacklogs(world))];
    const problems = [...listProblems(world, load, options), ...deaf, ...wrong];
    return { loadStartedAt, loadEndedAt, drainedAt, problems };
  } finally {
    clearInterval(progress);
    repaired.abort();
    await client.close();
  }
}

/** Starts those who submit all the time beside the load. */
async function startTenants(
  world: World,
  submit: (kind: JobKind, apiKey: string) => Promise<string>,
  deadline: AbortSignal,
): Promise<{ stop(): Promise<void> }> {
  const steady = await startSteadyTenants(world, submit, deadline);
  const limited = await startLimitedTenants(world, submit, deadline);
  return {
    async stop() {
      await limited.stop();
      await steady.stop();
    },
  };
}

/** The history of the faults is filled in when there is one. */
function openClients(
  { apiUrls, apiKey, neighbourKey, ...world }: World,
  seed: number,
  deadline: AbortSignal,
) {
  const history: { since: NemesisProgress['since'] } = { since: () => [] };
  const receivers = {
    own: world.receiver.url,
    tls: world.tlsReceiver?.url ?? '',
    neighbour: world.neighbour.url,
  };
  const faultsSince = (at: number) => history.since(at);
  const client = openClient({
    ...{ apiUrls, apiKey, neighbourKey, faultsSince, deadline },
    acks: world.journals.acks,
  });
  return { client, receivers, submit: extraJobs(client, receivers, seed), history };
}

function kindsBeside(only: FaultRun['only']): string[] {
  return only ? ALL_FAULTS.map(({ fault }) => fault.kind).filter((kind) => !only.includes(kind)) : [];
}

/**
 * Makes the function that submits jobs beside the load, each under a key of its own. A job that belongs to a fault is
 * urgent, or the fault would wait behind the backlog; a probe waits like any other.
 */
function extraJobs(client: Client, receivers: ReceiverUrls, seed: number) {
  const random = createRandom(seed + 1);
  let submitted = 0;
  return async (kind: JobKind, apiKey?: string): Promise<string> => {
    submitted += 1;
    const job = makeJob(kind, submitted, random, receivers);
    const body = kind === 'probe' ? job.body : { ...job.body, priority: 'critical' as const };
    const jobId = await client.submit({ ...job, body, key: `extra-${job.key}` }, apiKey);
    if (jobId === undefined) throw new Error(`no job of kind ${kind} was accepted`);
    return jobId;
  };
}

function listProblems(world: World, load: LoadProgress, { jobs }: FaultRun): string[] {
  const problems: string[] = [];
  if (load.acknowledged < jobs)
    problems.push(
      `${load.acknowledged} of ${jobs} jobs were acknowledged; ${load.unanswered} clients gave up.`,
    );
  if (world.receiver.trespasses > 0)
    problems.push(`${world.receiver.trespasses} redirects of the receiver were followed.`);
  if (world.tlsReceiver && world.tlsReceiver.trespasses > 0)
    problems.push(
      `${world.tlsReceiver.trespasses} webhooks were sent to a server with an untrusted certificate.`,
    );
  return problems;
}
