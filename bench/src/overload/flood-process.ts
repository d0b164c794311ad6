// An open loop that goes on when it is refused: requests are sent when they are due, whatever became of those before, and
// each answer is noted. Called with a Flood as JSON.
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { evenArrivals } from '../load/arrivals.ts';
import { now } from '../noop.ts';
import { makeBody } from '../payload.ts';
import type { Flood, FloodAnswer } from './run-flood.ts';

/** Who is not answered so long after the last one was due is not waited for any more. */
const GRACE_MS = 10_000;
const LOOK_EVERY_MS = 1;
const CONNECTIONS = 256;
/** Texts of payloads take longer to make than requests to send, so a few serve all. */
const TEXTS = 50;

const flood: Flood = JSON.parse(process.argv[2] ?? '');
const { origin, pathname: path } = new URL(flood.url);
const pool = new Pool(origin, { connections: CONNECTIONS });
const arrivals = evenArrivals(flood);
const answers: FloodAnswer[] = [];
let settled = 0;

const templates = Array.from({ length: TEXTS }, (_, n) => makeBody(n, { ...flood, noteStart: true }));
const bodyOf = (n: number) =>
  (templates[n % TEXTS] ?? '').replace(`"n":${n % TEXTS},`, `"n":${flood.firstN + n},`);

const startedAt = now();

async function send(n: number): Promise<void> {
  const dueAt = startedAt + arrivals.dueMs(n);
  const sentAt = now();
  const note = (status: number, retryAfterSeconds = 0) =>
    answers.push({ n: flood.firstN + n, dueAt, sentAt, answeredAt: now(), status, retryAfterSeconds });
  try {
    const { statusCode, headers, body } = await pool.request({
      ...{ path, method: 'POST', headers: flood.headers, body: bodyOf(n) },
    });
    note(statusCode, Number(headers['retry-after'] ?? 0));
    await body.dump();
  } catch {
    note(0);
  }
  settled += 1;
}

for (let sent = 0; sent < arrivals.count; ) {
  for (const due = arrivals.dueBy(now() - startedAt); sent < due; sent += 1) void send(sent);
  await delay(LOOK_EVERY_MS);
}
const deadline = now() + GRACE_MS;
while (settled < arrivals.count && now() < deadline) await delay(LOOK_EVERY_MS);
await writeFile(flood.file, JSON.stringify({ startedAt, unanswered: arrivals.count - settled, answers }));
process.exit(0);
