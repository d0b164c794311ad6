import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameCommit } from '@accepted/testing/name-commit';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Queue } from 'bullmq';
import { readEffects, readLines } from '../checker/read-evidence.ts';
import { type FaultTraits, traitsOf } from '../kinds.ts';
import { openClient } from '../load/client.ts';
import { startLoad } from '../load/run-load.ts';
import { type AckLine, type FaultLine, LOG_FILES } from '../logs.ts';
import { writeNumber } from '../report/wording.ts';
import { closeJournals } from '../world/journals.ts';
import { checkControl } from './check-control.ts';
import { injectControlFaults } from './control-faults.ts';
import type { ControlReport } from './control-report.ts';
import { type ControlWorld, startControlWorld } from './control-world.ts';
import { countOpen, exportQueue, openControlQueue, type QueuedJob } from './queue-export.ts';

export interface ControlOptions {
  /** Where the run leaves its logs and `report.json`. */
  folder: string;
  jobs: number;
  faults: number;
  seed: number;
  /** The load and the faults are spread over this time; draining comes on top. */
  seconds: number;
  command: string;
  /** Gets a line about the run every few seconds. */
  onProgress: (line: string) => void;
}

/** Bare BullMQ sends no webhooks. */
const NO_RECEIVERS = { own: '', tls: '', neighbour: '' };
const PROGRESS_EVERY_MS = 5_000;
/** A stalled job is found by a check every 30 s, after its lock of 30 s has expired. */
const DRAIN_TIMEOUT_MS = 120_000;
const QUEUE_FILE = 'queue.jsonl';

/**
 * Runs the load against bare BullMQ, as a tutorial writes it, under the faults that it can be hit by, and counts with
 * the measure of the invariants. The same seed gives the same load and the same faults.
 */
export async function runControl(options: ControlOptions): Promise<{ report: ControlReport; table: string }> {
  const { folder, seed, command } = options;
  const startedAt = Date.now();
  const commit = await nameCommit(import.meta.dirname);
  const world = await startControlWorld(folder);
  const queue = openControlQueue(world.redis.url);
  try {
    await loadAndBreak(options, world, queue);
    await exportQueue(queue, join(folder, QUEUE_FILE));
  } finally {
    await stopControl(world, queue);
  }
  const run = { seed, command, commit, startedAt, endedAt: Date.now() };
  const report = await makeControlReport(folder, run);
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  return { report, table: renderControl(report) };
}

async function loadAndBreak(options: ControlOptions, world: ControlWorld, queue: Queue): Promise<void> {
  const { jobs, seed, seconds } = options;
  const faultsDone = injectControlFaults({ ...options, world });
  const deadline = AbortSignal.timeout((seconds + DRAIN_TIMEOUT_MS / 1_000) * 1_000);
  const { apiUrls, apiKey, journals } = world;
  const client = openClient({
    apiUrls,
    apiKey,
    neighbourKey: apiKey,
    acks: journals.acks,
    faultsSince: () => [],
    deadline,
  });
  const load = startLoad({ client, receivers: NO_RECEIVERS, seed, jobs, seconds, faultsDone, deadline });
  const progress = setInterval(() => {
    options.onProgress(`control: ${load.acknowledged} of ${jobs} acknowledged`);
  }, PROGRESS_EVERY_MS);
  try {
    await Promise.all([load.done, faultsDone]);
    await waitUntil(async () => (await countOpen(queue)) === 0, {
      until: 'the queue is empty',
      timeoutMs: DRAIN_TIMEOUT_MS,
      // What is still open then is lost, which is what the control is there to show.
    }).catch(() => undefined);
  } finally {
    clearInterval(progress);
    await client.close();
  }
}

async function stopControl(world: ControlWorld, queue: Queue): Promise<void> {
  await Promise.all([...world.apis, ...world.workers].map((node) => node.stop(1_000)));
  await queue.close();
  world.redis.client.disconnect();
  await world.redis[Symbol.asyncDispose]();
  await closeJournals(world.journals);
}

async function makeControlReport(folder: string, run: ControlReport['run']): Promise<ControlReport> {
  const figures = checkControl({
    acks: await readLines<AckLine>(join(folder, LOG_FILES.acks)),
    effects: await readEffects(folder),
    queue: await readLines<QueuedJob>(join(folder, QUEUE_FILE)),
  });
  const faults = await readLines<FaultLine>(join(folder, LOG_FILES.faults));
  const fired = faults.filter((fault) => fault.fired);
  const faultsByKind: ControlReport['faultsByKind'] = {};
  for (const { kind } of fired) faultsByKind[kind] = (faultsByKind[kind] ?? 0) + 1;
  const having = (trait: keyof FaultTraits) =>
    fired.filter(({ kind }) => traitsOf(kind)[trait] === true).length;
  const traits = { kill9: having('kill9'), wipes: having('wipe'), zombies: having('zombie') };
  const notFired = faults
    .filter((fault) => !fault.fired)
    .map((fault) => `${fault.kind}: ${fault.firedProof}`);
  return { run, figures, faultsByKind, notFired, traits };
}

function renderControl({ figures, faultsByKind, notFired, traits }: ControlReport): string {
  const faults = Object.values(faultsByKind).reduce((sum, count) => sum + count, 0);
  const lines = [
    ['acknowledged', figures.acknowledged],
    ['lost', figures.lost],
    ['done, but the outcome is forgotten', figures.forgotten],
    ['failed though nothing was wrong with them', figures.wronglyFailed],
    ['effects that happened twice, unfenced', figures.effectTwice],
    ['faults', faults],
    ['kill -9', traits.kill9],
    ['wipes', traits.wipes],
  ] as const;
  const rows = lines.map(([name, value]) => `  ${name.padEnd(44)}${writeNumber(value).padStart(10)}`);
  const missed = notFired.map((fault) => `  did not fire: ${fault}`);
  return ['', 'Control: bare BullMQ under the same load', ...rows, ...missed, ''].join('\n');
}
