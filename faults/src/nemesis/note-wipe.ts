import type { FaultKind } from '../logs.ts';
import { listInEngine } from '../world/ledger.ts';
import type { World } from '../world/world.ts';

/** Writes down what the engine is about to lose. */
export async function noteWipe(world: World, kind: FaultKind): Promise<void> {
  // A job that is claimed from now on was not lost.
  const at = Date.now();
  const jobs = await world.ledger.ask(listInEngine);
  void world.journals.wipes.write({ at, kind, jobs });
}
