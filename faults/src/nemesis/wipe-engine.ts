import type { FaultKind } from '../kinds.ts';
import type { WipeLine } from '../logs.ts';
import type { World } from '../world/world.ts';
import { noteWipe } from './note-wipe.ts';
import { emptyTables } from './postgres/empty-engine-tables.ts';

/** Takes from the engine all that it holds, whichever it is; answers what that was. */
export async function wipeEngine(world: World, kind: FaultKind): Promise<WipeLine> {
  if (!world.redis) return (await emptyTables(world, kind)).wipe;
  const wipe = await noteWipe(world, kind);
  await world.redis.client.flushall();
  return wipe;
}
