// A client that goes on when it is refused. Called with a FloodSpec as JSON.
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { evenArrivals } from '../../load/arrivals.ts';
import { now } from '../../noop.ts';
import { createBodies } from './bodies.ts';
import { exchange } from './exchange.ts';
import type { FloodAnswer, Flooded, FloodSpec, PollAnswer } from './flood.ts';
import { createPicker } from './mix.ts';

/** Who is not answered so long after the last one was due is not waited for any more. */
const GRACE_MS = 10_000;
const LOOK_EVERY_MS = 1;
const POLL_AFTER_MS = 500;

const flood: FloodSpec = JSON.parse(process.argv[2] ?? '');
const { load, numbers, mix, startAt, connections, returnSeconds } = flood;
const { origin, pathname: path } = new URL(flood.url);
const pool = new Pool(origin, { connections });
const pick = createPicker(mix);
const bodyOf = createBodies();
const answers: FloodAnswer[] = [];
const polls: PollAnswer[] = [];
/** By when they are due. */
const toPoll: { path: string; headers: Readonly<Record<string, string>>; dueAt: number }[] = [];
const endsAt = startAt + load.seconds * 1_000;
const returnsUntil = endsAt + returnSeconds * 1_000;
let [submitted, polled, unsent] = [0, 0, 0];

const hasRoom = () => submitted + polled < 2 * connections;
const numberOf = (place: number) => numbers.first + place * numbers.step;

function submit(n: number, dueAt: number, returned = 0, onAnswer?: () => void): void {
  const picked = pick(n);
  const { headers } = picked.sender;
  const sentAt = now();
  submitted += 1;
  exchange(pool, { method: 'POST', path, headers, body: bodyOf(n, picked) }, (reply) => {
    submitted -= 1;
    const { status, code, retryAfterSeconds, location } = reply;
    const answeredAt = now();
    const answer = { n, returned, dueAt, sentAt, answeredAt, status, retryAfterSeconds };
    answers.push(code === undefined ? answer : { ...answer, code });
    if (status === 202 && picked.isPolled)
      toPoll.push({ path: location, headers, dueAt: answeredAt + POLL_AFTER_MS });
    if (status !== 202) comeBack(n, returned + 1, answeredAt + retryAfterSeconds * 1_000);
    onAnswer?.();
  });
}

function comeBack(n: number, returned: number, dueAt: number): void {
  if (returnSeconds === 0 || dueAt > returnsUntil) return;
  setTimeout(() => submit(n, dueAt, returned), dueAt - now());
}

function pollWhatIsDue(): void {
  while (toPoll[0] && toPoll[0].dueAt <= now()) {
    const { path, headers, dueAt } = toPoll.shift() as (typeof toPoll)[number];
    polled += 1;
    exchange(pool, { method: 'GET', path, headers }, ({ status, code }) => {
      polled -= 1;
      const poll = { dueAt, answeredAt: now(), status };
      polls.push(code === undefined ? poll : { ...poll, code });
    });
  }
}

/** Who floods is connected before: what it costs to connect says nothing of what comes then. */
async function connect(): Promise<void> {
  const asked = { method: 'GET', path: '/livez', headers: {} } as const;
  const answered = Array.from(
    { length: connections },
    () => new Promise<void>((resolve) => exchange(pool, asked, () => resolve())),
  );
  await Promise.all(answered);
}

async function sendWhenDue(perSecond: number): Promise<void> {
  const arrivals = evenArrivals({ perSecond, seconds: load.seconds });
  await delay(Math.max(0, startAt - now()));
  for (let place = 0; place < arrivals.count; ) {
    for (const due = arrivals.dueBy(now() - startAt); place < due; place += 1) {
      if (hasRoom()) submit(numberOf(place), startAt + arrivals.dueMs(place));
      else unsent += 1;
    }
    pollWhatIsDue();
    await delay(LOOK_EVERY_MS);
  }
}

async function keepInFlight(inFlight: number): Promise<void> {
  let place = 0;
  const next = () => {
    if (now() >= endsAt) return;
    submit(numberOf(place++), now(), 0, next);
  };
  await delay(Math.max(0, startAt - now()));
  for (let begun = 0; begun < inFlight; begun += 1) next();
  for (; now() < endsAt; await delay(LOOK_EVERY_MS)) pollWhatIsDue();
}

await connect();
await ('perSecond' in load ? sendWhenDue(load.perSecond) : keepInFlight(load.inFlight));
const isOver = () => submitted + polled + toPoll.length === 0 && now() >= returnsUntil;
while (!isOver() && now() < returnsUntil + GRACE_MS) {
  pollWhatIsDue();
  await delay(LOOK_EVERY_MS);
}
const flooded: Flooded = { startedAt: startAt, unsent, unanswered: submitted, answers, polls };
await writeFile(flood.file, JSON.stringify(flooded));
process.exit(0);
