import type { ServiceByWeight } from './measure-service.ts';
import type { LongJobs } from './run-tenants.ts';
import type { TurnTime } from './time-turns.ts';

/** `turns.json`. */
export interface TurnsData {
  behindKey: TurnTime[];
  ofTenants: TurnTime[];
  engines: EngineTurns[];
}

/** What was measured of one engine. */
export interface EngineTurns {
  title: string;
  /** Of many tenants to one, a round each. */
  rates: { one: number; many: number }[];
  /** Of two workers and of four, a round each. */
  byWorkers: { two: number; four: number }[];
  longJobs: LongJobs[];
  /** How long small tenants wait, in ms (p95). */
  waits: { alone: number; besideHog: number }[];
  /** A round each. */
  service: ServiceByWeight[];
}
