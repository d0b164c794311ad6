import type { World } from './world/world.ts';

/** What somebody does who wants to harm others, with the key of tenant A or without any. */
export interface Attack {
  name: string;
  /** One sentence: what the attacker does. */
  does: string;
  /** Begins it, and resolves once it is under way. */
  begin(world: World): Promise<RunningAttack>;
}

export interface RunningAttack {
  /** How often what the attack is about has come about so far, whatever else was sent; where that is never, it proves nothing. */
  done(): number;
  /** One sentence: what the attacker got of it. */
  got(): string;
  /** Ends it and lets go of all it holds. */
  stop(): Promise<void>;
}
