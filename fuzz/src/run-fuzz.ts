import { setTimeout as delay } from 'node:timers/promises';
import { bytesWithoutGarbage } from '@accepted/testing/bytes-without-garbage';
import { type ApiDocument, type Operation, readDocument } from './document/api-document.ts';
import { type Fuzzer, startFuzzer } from './fuzzer.ts';
import type { RunOptions } from './options.ts';
import { type Planned, planRequests } from './plan.ts';
import { faultsOf } from './report/faults.ts';
import type { RunReport } from './report/run-report.ts';
import { PLAIN_EVERY } from './request/make-request.ts';
import { startWorld, type World } from './world/world.ts';

/** Requests under way at once: what is looked for are faults, not limits. */
const CONNECTIONS = 4;
const FEED_EVERY = 250;
/** Until then code is compiled, pools are opened and caches filled. */
const WARM_UP_SHARE = 0.25;
/** How often, and how often each time, an operation is asked again that was never answered well. */
const MORE_ROUNDS = 3;
const MORE_EACH = 10;

/** Starts an installation and sends it requests that are made from its own document; answers what came of them. */
export async function runFuzz(options: RunOptions, say: (line: string) => void): Promise<RunReport> {
  say('starting Postgres, Redis, an API and a worker');
  const world = await startWorld();
  try {
    const document = readDocument(world.document);
    const operations = chosen(document, options.only);
    say(`${operations.length} operations, ${options.requests} requests, seed ${options.seed}`);
    const fuzzer = startFuzzer(world, { document, operations, seed: options.seed, connections: CONNECTIONS });
    const { warm, broke } = await sendAll(world, fuzzer, planRequests(operations, options.requests));
    const dead = await deadProcesses(world);
    const end = dead.includes('API') ? 0 : await bytesWithoutGarbage(world.api);
    const report = { ...described(options), ...fuzzer.results(), memory: { warm, end }, broke, dead };
    fuzzer.close();
    return { ...report, faults: faultsOf(report) };
  } finally {
    await world.close();
  }
}

function chosen({ operations }: ApiDocument, only: string[]): Operation[] {
  const unknown = only.find((id) => !operations.some((operation) => operation.id === id));
  const known = operations.map(({ id }) => id).join(', ');
  if (unknown !== undefined) throw new TypeError(`--only names "${unknown}": expected one of ${known}`);
  return operations.filter(({ id }) => only.length === 0 || only.includes(id));
}

function described({ size, seed, only }: RunOptions): Pick<RunReport, 'command' | 'seed'> {
  const rest = only.length > 0 ? ` --only ${only.join(',')}` : '';
  return { command: `npm run fuzz -- --size ${size} --seed ${seed}${rest}`, seed };
}

/** A server that is gone breaks it off: then what came before is told all the same. */
async function sendAll(
  world: World,
  fuzzer: Fuzzer,
  planned: Planned[],
): Promise<{ warm: number; broke: string | undefined }> {
  const warmUp = Math.ceil(planned.length * WARM_UP_SHARE);
  let warm = 0;
  try {
    for (let from = 0; from < planned.length; from += FEED_EVERY) {
      await fuzzer.feed();
      await sendTogether(fuzzer, planned.slice(from, from + FEED_EVERY));
      if (warm === 0 && from + FEED_EVERY >= warmUp) warm = await bytesWithoutGarbage(world.api);
    }
    await askAgain(fuzzer, planned.length);
    return { warm, broke: undefined };
  } catch (error) {
    return { warm, broke: error instanceof Error ? error.message : String(error) };
  }
}

async function sendTogether(fuzzer: Fuzzer, planned: Planned[]): Promise<void> {
  const left = planned.values();
  const sendOneByOne = async () => {
    for (const next of left) await fuzzer.send(next);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sendOneByOne));
}

/** An id may have been used up whenever an operation wanted one: it gets fresh ones before it is called unreachable. */
async function askAgain(fuzzer: Fuzzer, from: number): Promise<void> {
  for (let round = 0; round < MORE_ROUNDS; round += 1) {
    const operations = fuzzer.unreached();
    if (operations.length === 0) return;
    await fuzzer.feed();
    const number = (n: number) => PLAIN_EVERY * (from + round * MORE_EACH + n);
    const more = Array.from({ length: MORE_EACH }, (_, n) => n).flatMap((n) =>
      operations.map((operation) => ({ operation, number: number(n) })),
    );
    await sendTogether(fuzzer, more);
  }
}

async function deadProcesses({ api, worker }: World): Promise<string[]> {
  const ended = async ({ exited }: World['api']) => {
    const nothing = Symbol('nothing');
    return (await Promise.race([exited, delay(0, nothing)])) !== nothing;
  };
  return [...((await ended(api)) ? ['API'] : []), ...((await ended(worker)) ? ['worker'] : [])];
}
