import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../random.ts';
import type { Client } from './client.ts';
import { planJob, type ReceiverUrls } from './mix.ts';

export interface LoadOptions {
  client: Client;
  receivers: ReceiverUrls;
  seed: number;
  jobs: number;
  /** The jobs are spread over this time; what a fault holds up is made up for afterwards. */
  seconds: number;
  /** For how many seconds more there has to be load: faults that take long must not hit an idle system. */
  secondsNeeded?: () => number;
  /** Whether more waits than is good for a run: faults must hit a system that is busy, not one that is drowned. */
  isBehind?: () => boolean;
  /** The last jobs wait for this, all but a trickle, so that no fault hits an idle system. */
  faultsDone: Promise<unknown>;
  deadline: AbortSignal;
}

/** What the load has come to so far. */
export interface LoadProgress {
  acknowledged: number;
  unanswered: number;
  /** Resolves when every job is answered, or the time is over. */
  done: Promise<void>;
}

const CLIENTS = 48;
/** What was held up is made up for at no more than this multiple of the rate, and not in one burst. */
const HASTE = 2;
const LONGEST_ARREARS_MS = 500;
/** Each so manieth job is submitted again when it is accepted: the reply has to name the same job. */
const ASKED_AGAIN_EACH = 100;
/** The part of the jobs that waits for the last fault, but for a trickle. */
const HELD_BACK = 0.02;
/** How long a client waits before it looks again whether the system has caught up. */
const BEHIND_MS = 250;
/** How long each client waits at most with a job that is held back. */
const TRICKLE_MS = 2_000;

/** Submits all jobs, as many clients at once as a small crowd, each job at its time. */
export function startLoad(options: LoadOptions): LoadProgress {
  const { client, jobs, deadline } = options;
  const random = createRandom(options.seed);
  const startedAt = performance.now();
  const cancels: Promise<void>[] = [];
  const progress = { acknowledged: 0, unanswered: 0, done: Promise.resolve() };
  const firstHeldBack = Math.floor(jobs * (1 - HELD_BACK));
  let next = 0;
  let nextAt = startedAt;
  let heldSince: number | undefined;
  let heldMs = 0;
  const shortestMs = (options.seconds * 1_000) / jobs / HASTE;

  /** Answers when the next job is to go: what is left of the jobs is spread over what is left of the time. */
  function takeTurn(): number {
    const now = performance.now();
    // What a slow system had to be spared is no arrears: made up for, it would come in a burst.
    const left = options.seconds - (now - startedAt - heldMs) / 1_000;
    const secondsLeft = Math.max(left, options.secondsNeeded?.() ?? 0);
    const shareMs = (secondsLeft * 1_000) / Math.max(1, jobs - next);
    nextAt = Math.max(nextAt, now - LONGEST_ARREARS_MS) + Math.max(shareMs, shortestMs);
    return nextAt;
  }

  async function untilCaughtUp(): Promise<void> {
    while (options.isBehind?.()) {
      heldSince ??= performance.now();
      await delay(BEHIND_MS, undefined, { signal: deadline });
    }
    if (heldSince === undefined) return;
    heldMs += performance.now() - heldSince;
    heldSince = undefined;
  }

  async function submitNext(): Promise<void> {
    const n = next++;
    const job = planJob(n, random, options.receivers);
    if (n >= firstHeldBack) await Promise.race([options.faultsDone, delay(random.int(0, TRICKLE_MS))]);
    await untilCaughtUp();
    await delay(Math.max(0, takeTurn() - performance.now()), undefined, { signal: deadline });
    const jobId = await client.submit(job);
    if (jobId === undefined) progress.unanswered += 1;
    else {
      progress.acknowledged += 1;
      if (n % ASKED_AGAIN_EACH === 0) await client.submit(job);
      if (job.cancelAfterMs !== undefined) cancels.push(cancelLater(client, jobId, job.cancelAfterMs));
    }
  }

  async function clientLoop(): Promise<void> {
    while (next < jobs && !deadline.aborted) await submitNext().catch(ignoreAbort);
  }

  progress.done = Promise.all(Array.from({ length: CLIENTS }, clientLoop)).then(async () => {
    await Promise.all(cancels);
  });
  return progress;
}

async function cancelLater(client: Client, jobId: string, afterMs: number): Promise<void> {
  await delay(afterMs);
  await client.cancel(jobId);
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
