import type {
  LedgerAttempt,
  LedgerDeadLetter,
  LedgerJob,
  LedgerKey,
  LedgerLease,
  LedgerReplay,
  TransitionLine,
} from '../ledger-rows.ts';
import type {
  AckLine,
  EffectLine,
  FaultLine,
  MemoryLine,
  ProcessLine,
  ReceiverLine,
  RunFacts,
  WipeLine,
} from '../logs.ts';
import type { WorkerSaying } from './read-worker-logs.ts';

/** Everything that a run left behind, parsed; the invariants are functions of this and of nothing else. */
export interface Evidence {
  run: RunFacts;
  acks: AckLine[];
  effects: EffectLine[];
  hits: ReceiverLine[];
  faults: FaultLine[];
  wipes: WipeLine[];
  processes: ProcessLine[];
  memory: MemoryLine[];
  sayings: WorkerSaying[];
  jobs: LedgerJob[];
  attempts: LedgerAttempt[];
  deadLetters: LedgerDeadLetter[];
  replays: LedgerReplay[];
  keys: LedgerKey[];
  transitions: TransitionLine[];
  leases: LedgerLease[];
}
