// One job at a time on an idle system: how long after its 202 has arrived does its handler start? Called with a PickUps
// as JSON.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import { USUAL_PAYLOAD_BYTES } from '../measures/sizes.ts';
import { now, STARTS_FILE, type StartLine } from '../noop.ts';
import { makeBody } from '../payload.ts';
import { percentile } from '../statistics/spread.ts';
import type { PickUpFigures, PickUps } from './run-load.ts';

const LOOK_EVERY_MS = 2;
const GIVE_UP_AFTER_MS = 10_000;
/**
 * Long enough for everything that follows a job to be over, and for nobody to have been told of one a moment ago; of random
 * length, so that it keeps step with no poll.
 */
const PAUSE_MS = { least: 30, more: 20 };

const { url, headers, count, seconds, folder }: PickUps = JSON.parse(process.argv[2] ?? '');
const { origin, pathname: path } = new URL(url);
const client = new Client(origin);
await using starts = await open(join(folder, STARTS_FILE), 'a+');
const buffer = Buffer.alloc(65_536);
let position = 0;

/** Answers the lines that were added since the last call. */
async function readStarts(): Promise<StartLine[]> {
  const { bytesRead } = await starts.read(buffer, 0, buffer.length, position);
  const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
  position += end;
  const lines = buffer.toString('utf8', 0, end).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

async function waitForStart(n: number): Promise<number> {
  for (const deadline = now() + GIVE_UP_AFTER_MS; now() < deadline; await delay(LOOK_EVERY_MS)) {
    const start = (await readStarts()).find((line) => line.n === n);
    if (start) return start.at;
  }
  throw new Error(`Job ${n} did not start within ${GIVE_UP_AFTER_MS} ms.`);
}

async function pickUp(n: number): Promise<number> {
  const body = makeBody(n, { payloadBytes: USUAL_PAYLOAD_BYTES, noteStart: true });
  const answer = await client.request({ path, method: 'POST', headers, body });
  const answeredAt = now();
  await answer.body.dump();
  if (answer.statusCode !== 202) throw new Error(`A job was answered with ${answer.statusCode}.`);
  // A handler that is faster than the 202 is as fast as can be.
  return Math.max(0, (await waitForStart(n)) - answeredAt);
}

const latencies: number[] = [];
const deadline = now() + seconds * 1_000;
for (let n = 1; n <= count && now() < deadline; n += 1) {
  latencies.push(await pickUp(n));
  await delay(PAUSE_MS.least + Math.random() * PAUSE_MS.more);
}
const figures: PickUpFigures = {
  jobs: latencies.length,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
};
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
