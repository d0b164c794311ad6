import { setTimeout as delay } from 'node:timers/promises';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { isTerminal } from '@accepted/shared/core/job/status';
import type { FaultKind, JobKind } from '../kinds.ts';
import type { FaultLine } from '../logs.ts';
import { createRandom } from '../random.ts';
import type { World } from '../world/world.ts';
import type { FaultProof } from './fault.ts';
import type { ScheduledFault } from './schedule.ts';

export interface NemesisOptions {
  world: World;
  schedule: ScheduledFault[];
  submit(kind: JobKind): Promise<string>;
  deadline: AbortSignal;
}

/** What the nemesis has come to so far. */
export interface NemesisProgress {
  fired: number;
  /** The kind that is under way. */
  now: FaultKind | undefined;
  /** How long the rest of the schedule takes at least, at the pace so far. */
  secondsNeeded(): number;
  /** Which faults were under way at some time since. */
  since(at: number): FaultKind[];
  /** Resolves when the last fault is healed; what recovers after it is waited for by `settled`. */
  done: Promise<void>;
  /** Resolves when every fault is recovered from, or the deadline is there. */
  settled: Promise<void>;
}

/** No fault lasts longer, whatever hangs in it: a rolling deploy takes 40 to 60 s on two slow cores. */
const LONGEST_MS = 120_000;
/** So that one slow fault at the beginning does not slow down everything. */
const MOST_PER_FAULT_MS = 4_000;
const PROBE_POLL_MS = 100;

/** Injects the faults of the schedule, one after the other; each is followed by a job that shows the way is free. */
export function startNemesis(options: NemesisOptions): NemesisProgress {
  const { world, schedule, deadline } = options;
  const startedAt = performance.now();
  const periods: { kind: FaultKind; at: number; endedAt: number }[] = [];
  const probes: Promise<void>[] = [];
  const progress: NemesisProgress = {
    fired: 0,
    now: undefined,
    secondsNeeded() {
      const eachMs = Math.max(1_000, (performance.now() - startedAt) / Math.max(1, periods.length));
      return ((schedule.length - periods.length) * Math.min(eachMs, MOST_PER_FAULT_MS)) / 1_000;
    },
    since: (at) => [...new Set(periods.filter((period) => period.endedAt >= at).map(({ kind }) => kind))],
    done: Promise.resolve(),
    settled: Promise.resolve(),
  };

  async function fire({ fault, seed }: ScheduledFault): Promise<void> {
    const period = { kind: fault.kind, at: Date.now(), endedAt: Number.POSITIVE_INFINITY };
    periods.push(period);
    progress.now = fault.kind;
    const random = createRandom(seed);
    const seen = await withinTime(fault.inject({ world, random, submit: options.submit }));
    period.endedAt = Date.now();
    progress.now = undefined;
    if (seen.fired) progress.fired += 1;
    const line = { at: period.at, kind: fault.kind, endedAt: period.endedAt, ...seen };
    probes.push(probe(line));
  }

  /** The line of a fault is complete when a job that was submitted after it has ended. */
  async function probe(line: Omit<FaultLine, 'recoveredAt'>): Promise<void> {
    const recoveredAt = await recover(options).catch(() => null);
    await world.journals.faults.write({ ...line, recoveredAt });
  }

  async function run(): Promise<void> {
    for (const next of schedule) {
      await delay(Math.max(0, next.atMs - (performance.now() - startedAt)), undefined, { signal: deadline });
      await fire(next);
    }
  }

  progress.done = run().catch((error: unknown) => {
    if (!deadline.aborted) throw error;
  });
  progress.settled = progress.done.then(async () => void (await Promise.all(probes)));
  return progress;
}

type Seen = FaultProof & { fired: boolean; firedProof: string };

async function withinTime(injection: Promise<FaultProof>): Promise<Omit<Seen, 'proof'>> {
  const timeout = new AbortController();
  const late = delay(LONGEST_MS, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`it was not over after ${LONGEST_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    const { target, proof } = await Promise.race([injection, late]);
    return { target, fired: true, firedProof: proof };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { target: 'unknown', fired: false, firedProof: reason };
  } finally {
    timeout.abort();
  }
}

async function recover({ world, submit, deadline }: NemesisOptions): Promise<number | null> {
  const id = parsePublicId('job', await submit('probe')) ?? '';
  while (!deadline.aborted) {
    const job = await world.ledger.ask((db) =>
      db.selectFrom('current_jobs').select(['status', 'finished_at']).where('id', '=', id).executeTakeFirst(),
    );
    if (job && isTerminal(job.status)) return job.finished_at?.getTime() ?? null;
    await delay(PROBE_POLL_MS);
  }
  return null;
}
