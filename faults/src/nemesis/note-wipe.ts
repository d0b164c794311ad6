import type { FaultKind } from '../kinds.ts';
import type { WipeLine } from '../logs.ts';
import { listInEngine } from '../world/ledger.ts';
import type { World } from '../world/world.ts';

/** Writes down what the engine is about to lose, and answers it. */
export async function noteWipe(world: World, kind: FaultKind): Promise<WipeLine> {
  const wipe = await aboutToBeWiped(world, kind);
  void world.journals.wipes.write(wipe);
  return wipe;
}

/** Reads what the engine is about to lose, for a wipe that may not come about. */
export async function aboutToBeWiped(world: World, kind: FaultKind): Promise<WipeLine> {
  // A job that is claimed from now on was not lost.
  const at = Date.now();
  return { at, kind, jobs: await world.ledger.ask(listInEngine) };
}
