import type { Evidence } from '../checker/evidence.ts';
import { jobsThatMayWait, recoveryTimesMs } from '../checker/recovery.ts';
import { groupBy, percentile } from '../checker/verdict.ts';
import type { FaultLine } from '../logs.ts';

/** A value at a time, in seconds since the load began. */
export interface Point {
  s: number;
  value: number;
}

/** A fault from its injection until it was healed, in seconds since the load began. */
export interface Span {
  kind: FaultLine['kind'];
  fromS: number;
  toS: number;
}

/** Counts how many of the times fall into each second, from the load's beginning to the last of them. */
export function perSecond(timesMs: number[], beginMs: number): Point[] {
  const counts: number[] = [];
  for (const time of timesMs) {
    const second = Math.floor((time - beginMs) / 1_000);
    if (second >= 0) counts[second] = (counts[second] ?? 0) + 1;
  }
  return Array.from(counts, (count, s) => ({ s, value: count ?? 0 }));
}

/** Averages each point over `width` neighbours, so that a line can be read that would else be a hedge. */
export function smooth(points: Point[], width: number): Point[] {
  return points.map(({ s }, index) => {
    const around = points.slice(Math.max(0, index - Math.floor(width / 2)), index + Math.ceil(width / 2));
    return { s, value: around.reduce((sum, point) => sum + point.value, 0) / around.length };
  });
}

/** Answers, for each bucket of `bucketS` seconds that has acknowledgements, that percentile of the latency of a 202, in ms. */
export function acceptLatency({ acks, run }: Evidence, share: number, bucketS: number): Point[] {
  const accepted = acks.filter((ack) => ack.outcome === 'accepted' && ack.at >= run.loadStartedAt);
  const bucketOf = (at: number) => Math.floor((at - run.loadStartedAt) / 1_000 / bucketS);
  const buckets = groupBy(accepted, (ack) => String(bucketOf(ack.at)));
  return [...buckets]
    .map(([bucket, lines]) => ({
      s: (Number(bucket) + 0.5) * bucketS,
      value: percentile(
        lines.map((line) => line.latencyMs),
        share,
      ),
    }))
    .sort((a, b) => a.s - b.s);
}

/** Answers how long each wiped job waited for its next claim, in seconds, the shortest first. */
export function recoveryTimesS({ wipes, attempts, jobs }: Evidence): number[] {
  const attemptsOf = groupBy(attempts, (attempt) => attempt.jobId);
  const mayWait = jobsThatMayWait(jobs);
  return wipes
    .flatMap((wipe) => recoveryTimesMs(wipe, { wipes, attemptsOf }))
    .flatMap(({ jobId, tookMs }) => (tookMs === undefined || mayWait.has(jobId) ? [] : [tookMs / 1_000]))
    .sort((a, b) => a - b);
}

export function faultSpans({ faults, run }: Evidence): Span[] {
  const seconds = (at: number) => (at - run.loadStartedAt) / 1_000;
  return faults
    .filter((fault) => fault.fired)
    .map(({ kind, at, endedAt }) => ({ kind, fromS: seconds(at), toS: seconds(endedAt) }));
}
