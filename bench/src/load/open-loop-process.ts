// An open loop: requests are sent when they are due, whether or not the ones before are answered, and their latency
// counts from when they were due. A stall of the server, or of this client, so delays everything that falls into it, as
// it would delay people who do not wait for each other. Called with an OpenLoop as JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { makeBody } from '../payload.ts';
import { percentile } from '../statistics/spread.ts';
import { evenArrivals } from './arrivals.ts';
import type { OpenLoop, OpenLoopFigures } from './run-load.ts';

/** Requests that are not answered so long after the last one was due count with the time that they have waited. */
const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 1;

const loop: OpenLoop = JSON.parse(process.argv[2] ?? '');
const { origin, pathname: path } = new URL(loop.url);
const pool = new Pool(origin, { connections: 256 });
const arrivals = evenArrivals(loop);
const latencies = new Map<number, number>();
let refused = 0;
let settled = 0;

// The text of a payload takes longer to make than a request to send.
const bodies = Array.from({ length: arrivals.count }, (_, n) => makeBody(n, loop));
const startedAt = performance.timeOrigin + performance.now();
const elapsedMs = () => performance.timeOrigin + performance.now() - startedAt;

async function send(n: number): Promise<void> {
  try {
    const { statusCode, body } = await pool.request({
      path,
      method: 'POST',
      headers: loop.headers,
      body: bodies[n] ?? '',
    });
    latencies.set(n, elapsedMs() - arrivals.dueMs(n));
    await body.dump();
    if (statusCode !== 202) refused += 1;
  } catch {
    refused += 1;
  }
  settled += 1;
}

for (let sent = 0; sent < arrivals.count; ) {
  for (const due = arrivals.dueBy(elapsedMs()); sent < due; sent += 1) void send(sent);
  await delay(LOOK_EVERY_MS);
}
const deadlineMs = elapsedMs() + GRACE_MS;
while (settled < arrivals.count && elapsedMs() < deadlineMs) await delay(LOOK_EVERY_MS);
const unanswered = arrivals.count - settled;
for (let n = 0; n < arrivals.count; n += 1)
  if (!latencies.has(n)) latencies.set(n, elapsedMs() - arrivals.dueMs(n));
const all = [...latencies.values()];
const figures: OpenLoopFigures = {
  startedAt,
  accepted: arrivals.count - unanswered - refused,
  refused,
  unanswered,
  p50Ms: percentile(all, 0.5),
  p99Ms: percentile(all, 0.99),
};
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
