import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { now } from '../../noop.ts';
import type { Session } from '../../world/session.ts';
import { spawnProgram } from '../../world/spawn-program.ts';
import type { Flooded, FloodSpec, Load } from './flood.ts';

/** Load of one or several client processes together. */
export interface Flooding extends Pick<FloodSpec, 'mix' | 'load'> {
  /** The number of the first request; the others follow. */
  firstN: number;
  clients?: number;
  /** Those of all clients together. */
  connections?: number;
  startAt?: number;
  returnSeconds?: number;
}

/** So long a client process may take until it has all of its connections and can begin. */
const BOOT_MS = 3_000;
const USUAL_CONNECTIONS = 256;

/** When a flood can begin that is started now. */
export const soon = () => now() + BOOT_MS;

/** Floods the API with requests; answers when all are answered, or not waited for any more. */
export async function runFlood(
  session: Pick<Session, 'api' | 'stores'>,
  flooding: Flooding,
): Promise<Flooded> {
  const { clients = 1, startAt = soon() } = flooding;
  const parts = await Promise.all(
    Array.from({ length: clients }, (_, place) => runClient(session, flooding, { place, clients, startAt })),
  );
  return {
    startedAt: startAt,
    unsent: sum(parts.map(({ unsent }) => unsent)),
    unanswered: sum(parts.map(({ unanswered }) => unanswered)),
    answers: parts.flatMap(({ answers }) => answers),
    polls: parts.flatMap(({ polls }) => polls),
  };
}

async function runClient(
  { api: { url }, stores: { folder } }: Pick<Session, 'api' | 'stores'>,
  { mix, load, firstN, connections = USUAL_CONNECTIONS, returnSeconds = 0 }: Flooding,
  { place, clients, startAt }: { place: number; clients: number; startAt: number },
): Promise<Flooded> {
  const file = join(folder, `flood-${randomUUID()}.json`);
  const spec: FloodSpec = {
    ...{ url, mix, file, returnSeconds },
    load: partOf(load, clients),
    connections: Math.ceil(connections / clients),
    numbers: { first: firstN + place, step: clients },
    startAt: startAt + staggerMs(load) * place,
  };
  const args = [JSON.stringify(spec)];
  await using client = spawnProgram('bench/src/overload/load/flood-process.ts', { args });
  const { code } = await client.exited;
  if (code !== 0) throw new Error(`The flood failed:\n${client.lines.join('\n')}`);
  const flooded: Flooded = JSON.parse(await readFile(file, 'utf8'));
  await rm(file);
  return flooded;
}

function partOf(load: Load, clients: number): Load {
  const { seconds } = load;
  return 'perSecond' in load
    ? { seconds, perSecond: load.perSecond / clients }
    : { seconds, inFlight: Math.ceil(load.inFlight / clients) };
}

/** Clients take turns, so that together they send as evenly as one would. */
function staggerMs(load: Load): number {
  return 'perSecond' in load ? 1_000 / load.perSecond : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
