import type { JobKind } from '../kinds.ts';
import { MOST_BACKLOG, MOST_PER_SECOND } from '../limited-tenants.ts';
import type { Evidence } from './evidence.ts';
import { mustProve, percentile, type Verdict } from './verdict.ts';

/** Over such a time a rate holds. What may come at once is as much as comes in a second. */
const WINDOW_MS = 10_000;
const MOST_IN_WINDOW = MOST_PER_SECOND * (WINDOW_MS / 1_000 + 1);
/** Limits hold over all API processes within a tenth, whatever fails meanwhile. */
const TOLERANCE = 1.1;
/** Longer than any fault lasts, and what is left behind by it. */
const LONGEST_WAIT_MS = 60_000;

/** What tenants may submit is not exceeded while servers and processes fail, and nobody is refused for ever. */
export function checkAdmission(evidence: Evidence): Verdict {
  const rated = acceptedOf('rated', evidence);
  const crowded = acceptedOf('crowded', evidence);
  const mostInWindow = mostWithin(rated.map(({ createdAt }) => createdAt));
  const mostLive = mostAtOnce(crowded);
  const waits = [...waitsOf('rated', evidence), ...waitsOf('crowded', evidence)];
  const longestWaitMs = percentile(waits, 1);
  const violations: string[] = [];
  if (mostInWindow > MOST_IN_WINDOW * TOLERANCE)
    violations.push(`${mostInWindow} jobs were accepted in ten seconds, where ${MOST_IN_WINDOW} may be.`);
  if (mostLive > MOST_BACKLOG * TOLERANCE)
    violations.push(`${mostLive} jobs were not finished, where ${MOST_BACKLOG} may be.`);
  if (longestWaitMs > LONGEST_WAIT_MS)
    violations.push(`Somebody was refused for ${longestWaitMs} ms; ${LONGEST_WAIT_MS} ms are allowed.`);
  if (mustProve(evidence.run) && (mostInWindow < MOST_IN_WINDOW / 2 || mostLive < MOST_BACKLOG))
    violations.push('What tenants may submit was never used up: the run proves nothing of it.');
  return {
    id: 'Admit',
    holds: 'Rates and bounds hold within a tenth whatever fails, and nobody is refused for ever.',
    figures: { rated: rated.length, crowded: crowded.length, mostInWindow, mostLive, longestWaitMs },
    violations,
  };
}

interface Accepted {
  createdAt: number;
  finishedAt: number | null;
}

function acceptedOf(kind: JobKind, { acks, jobs }: Evidence): Accepted[] {
  const ids = new Set(acks.filter((ack) => ack.kind === kind).map(({ jobId }) => jobId));
  const accepted = jobs.filter(({ jobId }) => ids.has(jobId));
  return accepted.sort((one, other) => one.createdAt - other.createdAt);
}

/** The most of these times, in order, that are in one window. */
function mostWithin(times: number[]): number {
  let [most, first] = [0, 0];
  for (const [place, time] of times.entries()) {
    while ((times[first] ?? time) <= time - WINDOW_MS) first += 1;
    most = Math.max(most, place - first + 1);
  }
  return most;
}

/** The most jobs that were there and not finished at one time. */
function mostAtOnce(jobs: Accepted[]): number {
  const steps = jobs.flatMap(({ createdAt, finishedAt }) => [
    { at: createdAt, by: 1 },
    { at: finishedAt ?? Number.POSITIVE_INFINITY, by: -1 },
  ]);
  steps.sort((one, other) => one.at - other.at || one.by - other.by);
  let [most, now] = [0, 0];
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** How long each was refused: from the first answer to the one that let it in, or the last one. */
function waitsOf(kind: JobKind, { acks }: Evidence): number[] {
  const firstAt = new Map<string, number>();
  const waits = new Map<string, number>();
  for (const ack of acks) {
    if (ack.kind !== kind) continue;
    const first = firstAt.get(ack.key) ?? ack.at;
    firstAt.set(ack.key, first);
    waits.set(ack.key, ack.at - first);
  }
  return [...waits.values()];
}
