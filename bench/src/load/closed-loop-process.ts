// A closed loop: so many connections, each of which sends the next request when the last one is answered. Its process is
// its own, as it must not share a thread with what it measures. Called with a ClosedLoop as JSON.
import autocannon from 'autocannon';
import { now } from '../noop.ts';
import { makeBody } from '../payload.ts';
import { percentile } from '../statistics/spread.ts';
import type { ClosedLoop, ClosedLoopFigures } from './run-load.ts';

const loop: ClosedLoop = JSON.parse(process.argv[2] ?? '');
const jobs = 'jobs' in loop ? loop.jobs : Number.POSITIVE_INFINITY;

const latencies: number[] = [];
let refused = 0;
const startedAt = now();
let lastAt = startedAt;

function finish(): void {
  const accepted = latencies.length;
  const figures: ClosedLoopFigures = {
    startedAt,
    accepted,
    refused,
    acceptedPerSecond: (accepted / (lastAt - startedAt)) * 1_000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
}

function count(isAccepted: boolean, latencyMs: number): void {
  lastAt = now();
  if (isAccepted) latencies.push(latencyMs);
  else refused += 1;
  // autocannon would tell up to a second later that it has sent everything.
  if (latencies.length + refused === jobs) finish();
}

const { url, connections } = loop;
const amount = 'jobs' in loop ? { amount: loop.jobs } : { duration: loop.seconds };
const request = { method: 'POST', headers: { ...loop.headers }, body: makeBody(1, loop) } as const;
const instance = autocannon({ url, connections, timeout: 30, ...request, ...amount }, (error) => {
  if (error) throw error;
});
instance.on('response', (_client, statusCode, _bytes, latencyMs) => count(statusCode === 202, latencyMs));
instance.on('reqError', () => count(false, 0));
if ('seconds' in loop) instance.on('done', finish);
