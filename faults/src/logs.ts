import type { EngineKind, FaultKind, JobKind } from './kinds.ts';

/**
 * The files that a run leaves in its folder, one JSON value a line: what the harness saw from outside, then what the
 * ledger said at the end. The checker needs nothing else. Times (`at`, `…At`) are milliseconds since 1970 by the
 * clock of this machine, which every process of a run shares; `jobId` is the id that clients see (`job_…`).
 */
export const LOG_FILES = {
  acks: 'acks.jsonl',
  receiver: 'receiver.jsonl',
  faults: 'faults.jsonl',
  wipes: 'wipes.jsonl',
  processes: 'processes.jsonl',
  memory: 'memory.jsonl',
  /** Written once, when the ledger is drained or the time is over. */
  run: 'run.json',
  jobs: 'ledger/jobs.jsonl',
  attempts: 'ledger/attempts.jsonl',
  deadLetters: 'ledger/dead-letters.jsonl',
  replays: 'ledger/replays.jsonl',
  keys: 'ledger/idempotency-keys.jsonl',
  transitions: 'ledger/transitions.jsonl',
  leases: 'ledger/leases.jsonl',
} as const;

/** `effects-<pid>.jsonl`: one file for each process that ran a handler. */
export const EFFECT_FILES = /^effects-\d+\.jsonl$/;

/** What each process printed: `log/worker-<slot>.log` and `log/api-<slot>.log`, pino's JSON lines, appended by restarts. */
export const LOG_FOLDER = 'log';

/** One reply, or the lack of one, to one `POST /v1/jobs`; the last line of a key is `final`. Fsynced before it counts. */
export interface AckLine {
  /** When the reply came, or was given up. */
  at: number;
  key: string;
  /** `accepted`: 202 or 200. `refused`: any other status. `unknown`: no whole reply. */
  outcome: 'accepted' | 'refused' | 'unknown';
  status: number | null;
  jobId: string | null;
  kind: JobKind;
  /** The reply is a problem document (RFC 9457). */
  isProblem: boolean;
  /** From the first byte sent to the whole reply. */
  latencyMs: number;
  /** The faults that were under way at some time between request and reply, `null` when there was none. */
  during: FaultKind[] | null;
  final: boolean;
}

/** Written by the handlers with O_APPEND. `effect` is the side effect itself, under the attempt's fencing token. */
export interface EffectLine {
  at: number;
  /** The process that ran the handler. */
  pid: number;
  jobId: string;
  token: number;
  phase: 'start' | 'effect';
}

/** One webhook request as it arrived, whatever was then replied. */
export interface ReceiverLine {
  at: number;
  webhookId: string;
  /** SHA-256 of the raw body, hex. */
  bodyHash: string;
  /** By the timestamp that was sent along, so that a sender's wrong clock does not hide a wrong signature. */
  signatureValid: boolean;
  /** The status, or `null` when the connection was cut or left hanging. */
  replied: number | null;
  jobId: string | null;
  event: string | null;
}

export interface FaultLine {
  at: number;
  kind: FaultKind;
  /** What it hit: `worker-2`, `redis`, `postgres`, `receiver` … */
  target: string;
  /** A fault that could not be shown to have fired does not count, and fails the run. */
  fired: boolean;
  /** What was seen, or why it was not. */
  firedProof: string;
  /** When everything was healed again. */
  endedAt: number;
  /** When a job that was submitted after `endedAt` had gone all the way through; `null`: not before the end of the run. */
  recoveredAt: number | null;
}

/** What the ledger had in the engine, unclaimed, just before a wipe. */
export interface WipeLine {
  at: number;
  kind: FaultKind;
  /** `attempt` is the last one that each had by then: what has a larger number was claimed afterwards, whatever its time says. */
  jobs: { jobId: string; dispatchNo: number; attempt: number }[];
}

/** The life of the processes: `signaled` when the suite itself sends a signal that is to end one. */
export interface ProcessLine {
  at: number;
  /** `worker-1`, `api-2` … */
  name: string;
  pid: number;
  event: 'started' | 'ready' | 'signaled' | 'exited';
  code?: number | null;
  signal?: string | null;
  /** Of an exit: a fault, a deploy or the end of the run asked this process for it. */
  expected?: boolean;
}

export interface MemoryLine {
  at: number;
  name: string;
  pid: number;
  rssBytes: number;
}

/** `run.json`: what was asked for, and what the harness itself has to object to. */
export interface RunFacts {
  seed: number;
  size: string;
  engine: EngineKind;
  jobs: number;
  faults: number;
  startedAt: number;
  loadStartedAt: number;
  loadEndedAt: number;
  /** When nothing was left to do; `null` when the time for that ran out. */
  drainedAt: number | null;
  endedAt: number;
  leaseMs: number;
  command: string;
  /** Of the code, see `report/name-commit.ts`. */
  commit: string;
  /** The versions of the servers it ran on; the reports of early runs do not say. */
  servers?: string;
  /** Kinds of the matrix that this run left out, each with the reason. */
  notRun: { kind: string; reason: string }[];
  /** What went wrong beyond the invariants: a process that did not end in time, a client that got no answer … Each fails the run. */
  problems: string[];
}
