import type { OperationTally } from '../judge/coverage.ts';
import type { Violation } from '../judge/judge.ts';

/** A kind of violation, with the first request that had it. */
export interface FoundViolation extends Violation {
  operation: string;
  /** How many requests had one of this kind. */
  count: number;
  /** Of the first one: which request it was, how to send it, and what came back. */
  number: number;
  twists: string[];
  curl: string;
  answer: string;
  /** What the API logged of it. */
  log: string[];
}

/** A whole run. */
export interface RunReport {
  command: string;
  seed: number;
  requests: number;
  operations: OperationTally[];
  violations: FoundViolation[];
  /** Operations that were never answered with a status of that hundred. */
  without: { '2xx': string[]; '4xx': string[] };
  /** What the API held in memory, in bytes: after the warm-up, at the end. */
  memory: { warm: number; end: number };
  /** Why the run came to an end before all requests were sent. */
  broke: string | undefined;
  /** Processes that ended during the run. */
  dead: string[];
  faults: string[];
}
