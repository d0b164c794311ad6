import { layDownConcurrency } from './world/operate.ts';
import type { World } from './world/world.ts';

/** The type that an operator bounds for the run, its jobs in two queues. */
export const BOUNDED_TYPE = 'faults.account';
/** So few that hardly a second of a run is without one that waits. */
export const MOST_OF_BOUNDED_TYPE = 2;

export async function boundType(world: World): Promise<void> {
  await layDownConcurrency(world, `/v1/job-types/${BOUNDED_TYPE}`, MOST_OF_BOUNDED_TYPE);
}
