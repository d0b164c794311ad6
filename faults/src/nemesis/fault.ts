import type { FaultKind, JobKind } from '../kinds.ts';
import type { Random } from '../random.ts';
import type { World } from '../world/world.ts';

/** What a fault may do beside breaking things. */
export interface Surroundings {
  world: World;
  random: Random;
  /** Submits one more job of this kind, as a client; answers its id. */
  submit(kind: JobKind): Promise<string>;
}

/** What was hit, and how it is known that the fault fired. */
export interface FaultProof {
  target: string;
  proof: string;
}

export interface Fault {
  kind: FaultKind;
  /** Breaks something, makes sure that it is broken, heals it. Throws when the fault cannot be shown to have fired. */
  inject(surroundings: Surroundings): Promise<FaultProof>;
}

/** Reasons to leave a fault out on this machine; `undefined` when it can run. */
export type Unavailable = (engine: World['engine']) => Promise<string | undefined>;
