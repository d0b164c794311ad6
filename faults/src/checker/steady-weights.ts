import type { JobKind } from '../kinds.ts';
import { STEADY_SLOTS } from '../steady-tenants.ts';
import { HEAVY_WEIGHT } from '../weigh-tenants.ts';
import type { Evidence } from './evidence.ts';
import { succeededStaysOf } from './stays.ts';
import { mustProve, type Verdict } from './verdict.ts';

const SLICE_MS = 1_000;
/** Of how much time in slots a window is: of five seconds or more in a row, as there are four of them. */
const WINDOW_MS = 20_000;
/**
 * How far off the share may be. Of a window the light tenant gets five seconds; whoever is first at its beginning or its end has all
 * slots for one job of 100 ms, which is 0.4 s too much or too little at each end.
 */
const MOST_APART = 0.15;
/** Less time in slots says nothing of several windows, or of a run. */
const LEAST_MS = 2 * WINDOW_MS;
/** How long after a job went through again workers may be found dead whose jobs still hold slots: the rescuers look once a second. */
const FOUND_WITHIN_MS = 1_500;

/** A second of the run, and what happened in it. */
interface Slice extends Service {
  at: number;
  /** Both had more waiting all the time than there are slots, so that some of it was not in the engine. */
  isContested: boolean;
  isCalm: boolean;
}

/** Time in slots. */
interface Service {
  lightMs: number;
  heavyMs: number;
}

type Part = Pick<Verdict, 'figures' | 'violations'>;

/**
 * Two tenants that have jobs waiting all the time get the time of the workers by their weights: over the run with all its faults, over
 * what was calm of it, and over each window of that.
 */
export function checkSteadyWeights(evidence: Evidence): Part {
  const slices = sliceRun(evidence).filter(({ isContested }) => isContested);
  const contested = sumOf(slices);
  const calm = sumOf(slices.filter(({ isCalm }) => isCalm));
  const windows = windowsOf(slices);
  const ratios = windows.map(ratioOf);
  const violations = [
    ...(timeOf(contested) >= LEAST_MS ? describeFar(contested, 'over the run') : []),
    ...(timeOf(calm) >= LEAST_MS ? describeFar(calm, 'while there was no fault') : []),
    ...windows.flatMap((window) => describeFar(window, `in calm seconds from ${window.at} on`)),
  ];
  if (timeOf(calm) < LEAST_MS && mustProve(evidence.run))
    violations.push(
      `${timeOf(calm)} ms of two tenants that waited while there was no fault prove nothing of weights.`,
    );
  return {
    figures: {
      steadyTimeMs: timeOf(contested),
      steadyRatio: ratioOf(contested),
      calmTimeMs: timeOf(calm),
      calmRatio: ratioOf(calm),
      calmWindows: windows.length,
      leastOfWindow: windows.length > 0 ? Math.min(...ratios) : 0,
      mostOfWindow: Math.max(0, ...ratios),
    },
    violations,
  };
}

function describeFar(service: Service, when: string): string[] {
  const { lightMs, heavyMs } = service;
  if (Math.abs(heavyMs / HEAVY_WEIGHT - lightMs) <= MOST_APART * lightMs) return [];
  return [
    `A tenant of weight ${HEAVY_WEIGHT} got ${ratioOf(service)} times what one of weight 1 got ${when}.`,
  ];
}

function ratioOf({ lightMs, heavyMs }: Service): number {
  return lightMs > 0 ? Math.round((heavyMs / lightMs) * 100) / 100 : 0;
}

function timeOf({ lightMs, heavyMs }: Service): number {
  return lightMs + heavyMs;
}

function sumOf(services: Service[]): Service {
  return services.reduce(
    (sum, { lightMs, heavyMs }) => ({ lightMs: sum.lightMs + lightMs, heavyMs: sum.heavyMs + heavyMs }),
    { lightMs: 0, heavyMs: 0 },
  );
}

/** Cuts what is calm and in a row into windows. */
function windowsOf(slices: Slice[]): (Service & { at: number })[] {
  const windows: (Service & { at: number })[] = [];
  let row: Slice[] = [];
  for (const slice of slices) {
    if (!slice.isCalm || slice.at !== (row.at(-1)?.at ?? Number.NaN) + SLICE_MS) row = [];
    if (slice.isCalm) row.push(slice);
    const sum = sumOf(row);
    if (timeOf(sum) < WINDOW_MS) continue;
    windows.push({ at: row[0]?.at ?? 0, ...sum });
    row = [];
  }
  return windows;
}

function sliceRun(evidence: Evidence): Slice[] {
  const { loadStartedAt, loadEndedAt } = evidence.run;
  const count = Math.max(0, Math.floor((loadEndedAt - loadStartedAt) / SLICE_MS));
  const slices: Slice[] = Array.from({ length: count }, (_, index) => {
    const at = loadStartedAt + index * SLICE_MS;
    return { at, lightMs: 0, heavyMs: 0, isContested: true, isCalm: !isDisturbed(at, evidence) };
  });
  for (const { kind, service } of TENANTS) {
    const jobs = jobsOf(evidence, kind);
    // What was lost with its worker counts for nothing: nobody knows how long it ran, and its tenant has nothing of it.
    for (const time of succeededStaysOf(evidence, (jobId) => jobs.has(jobId))) addTime(slices, time, service);
    const waiting = leastWaiting(evidence, jobs, slices);
    for (const [index, slice] of slices.entries()) slice.isContested &&= (waiting[index] ?? 0) > STEADY_SLOTS;
  }
  return slices;
}

const TENANTS = [
  { kind: 'steadyLight', service: 'lightMs' },
  { kind: 'steadyHeavy', service: 'heavyMs' },
] as const;

/** Adds how long an attempt had its slot, from its handler's first line to its effect. */
function addTime(slices: Slice[], { from, to }: Record<'from' | 'to', number>, service: keyof Service): void {
  const beginAt = slices[0]?.at ?? 0;
  const indexOf = (at: number) => Math.max(0, Math.floor((at - beginAt) / SLICE_MS));
  const touched = to <= beginAt ? [] : slices.slice(indexOf(from), indexOf(to - 1) + 1);
  for (const slice of touched) slice[service] += Math.min(to, slice.at + SLICE_MS) - Math.max(from, slice.at);
}

/** When each job of a tenant was acknowledged first. */
function jobsOf({ acks }: Evidence, kind: JobKind): Map<string, number> {
  const jobs = new Map<string, number>();
  for (const ack of acks)
    if (ack.kind === kind && ack.jobId !== null)
      jobs.set(ack.jobId, Math.min(ack.at, jobs.get(ack.jobId) ?? ack.at));
  return jobs;
}

/** Counts for each slice the fewest jobs that were acknowledged and had never begun, at any time in it. */
function leastWaiting({ effects }: Evidence, jobs: Map<string, number>, slices: Slice[]): number[] {
  const begunAt = new Map<string, number>();
  for (const { jobId, phase, at } of effects)
    if (phase === 'start' && jobs.has(jobId)) begunAt.set(jobId, Math.min(at, begunAt.get(jobId) ?? at));
  const moves = [
    ...[...jobs.values()].map((at) => ({ at, by: 1 })),
    ...[...begunAt.values()].map((at) => ({ at, by: -1 })),
  ].toSorted((one, other) => one.at - other.at || one.by - other.by);
  let next = 0;
  let waiting = 0;
  return slices.map((slice) => {
    let least = Number.POSITIVE_INFINITY;
    for (let move = moves[next]; move && move.at < slice.at + SLICE_MS; move = moves[next]) {
      if (move.at >= slice.at) least = Math.min(least, waiting);
      waiting += move.by;
      next += 1;
    }
    return Math.min(least, waiting);
  });
}

/** A bad receiver takes nothing from the workers; of every other fault they may need a while to recover. */
function isDisturbed(at: number, { faults, run }: Evidence): boolean {
  return faults.some((fault) => {
    const healedAt = fault.recoveredAt ?? Number.POSITIVE_INFINITY;
    const settledAt = Math.max(fault.endedAt, healedAt) + run.leaseMs + FOUND_WITHIN_MS;
    return !fault.kind.startsWith('receiver-') && fault.at < at + SLICE_MS && settledAt > at;
  });
}
