import type { Mix } from './mix.ts';

/** Requests that are sent when they are due, whatever became of others; or `inFlight` of them, each after the answer to one before. */
export type Load = { seconds: number } & ({ perSecond: number } | { inFlight: number });

/** What one client process is to do; all of a flood number their requests so that none has the number of another's. */
export interface FloodSpec {
  /** Where jobs are posted. */
  url: string;
  mix: Mix;
  /** That of this process. */
  load: Load;
  /** When it begins: milliseconds since 1970. */
  startAt: number;
  numbers: { first: number; step: number };
  /** Whoever finds all of them taken, and as many waiting for one, sends nothing: as a client would that gives up. */
  connections: number;
  /** So long after the load who was refused still comes back when the `Retry-After` says; nobody does when it is 0. */
  returnSeconds: number;
  /** Where the answers go. */
  file: string;
}

/** Times are milliseconds since 1970. */
export interface FloodAnswer {
  n: number;
  /** How often it had been refused before. */
  returned: number;
  dueAt: number;
  sentAt: number;
  answeredAt: number;
  /** 0: the connection broke. */
  status: number;
  /** What a problem is called by. */
  code?: string;
  retryAfterSeconds: number;
}

export interface PollAnswer {
  dueAt: number;
  answeredAt: number;
  status: number;
  code?: string;
}

export interface Flooded {
  startedAt: number;
  /** Requests that were due and found no connection. */
  unsent: number;
  /** Still without an answer some seconds after the last one was due. */
  unanswered: number;
  answers: FloodAnswer[];
  polls: PollAnswer[];
}
