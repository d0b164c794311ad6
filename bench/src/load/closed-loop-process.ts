// A closed loop: so many connections, each of which sends the next request when the last one is answered. Its process is
// its own, as it must not share a thread with what it measures. Called with a ClosedLoop as JSON.
import autocannon, { type Result } from 'autocannon';
import { now } from '../noop.ts';
import { makeBody } from '../payload.ts';
import { percentile } from '../statistics/spread.ts';
import type { ClosedLoop, ClosedLoopFigures } from './run-load.ts';

const loop: ClosedLoop = JSON.parse(process.argv[2] ?? '');

const latencies: number[] = [];
const { promise, resolve, reject } = Promise.withResolvers<Result>();
const startedAt = now();
let lastAt = startedAt;
const instance = autocannon(
  {
    url: loop.url,
    method: 'POST',
    headers: { ...loop.headers },
    body: makeBody(1, loop),
    connections: loop.connections,
    timeout: 30,
    ...('jobs' in loop ? { amount: loop.jobs } : { duration: loop.seconds }),
  },
  (error, result) => (error ? reject(error) : resolve(result)),
);
instance.on('response', (_client, _statusCode, _bytes, responseTimeMs) => {
  latencies.push(responseTimeMs);
  lastAt = now();
});
const result = await promise;
const figures: ClosedLoopFigures = {
  startedAt,
  accepted: result['2xx'],
  refused: result.non2xx + result.errors + result.timeouts,
  acceptedPerSecond: (result['2xx'] / (lastAt - startedAt)) * 1_000,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
