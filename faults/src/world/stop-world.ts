import { closeJournals } from './journals.ts';
import type { World } from './world.ts';

/** A process has 8 s for its own end; after that it is a problem. */
const ENDS_WITHIN_MS = 12_000;

/** Ends our processes in order; answers what did not end as it should. */
export async function stopProcesses(world: World): Promise<string[]> {
  const nodes = [...world.apis, ...world.workers];
  const ends = await Promise.all(
    nodes.map(async (node) => ({ name: node.name, exit: await node.stop(ENDS_WITHIN_MS) })),
  );
  return ends
    .filter(({ exit }) => exit !== undefined && exit.code !== 0)
    .map(
      ({ name, exit }) => `${name} was asked to end and did so with ${exit?.signal ?? `code ${exit?.code}`}.`,
    );
}

/** Ends everything else. */
export async function stopServers(world: World): Promise<void> {
  await Promise.all([...world.apis, ...world.workers].map((node) => node.links.close()));
  await world.receiver.close();
  await world.tlsReceiver?.close();
  await world.neighbour.close();
  await world.ledger.close();
  world.redis?.client.disconnect();
  await world.redis?.[Symbol.asyncDispose]();
  await world.postgres[Symbol.asyncDispose]();
  await closeJournals(world.journals);
}
