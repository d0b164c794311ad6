import type {
  AckLine,
  EffectLine,
  FaultLine,
  LedgerAttempt,
  LedgerDeadLetter,
  LedgerJob,
  LedgerKey,
  LedgerReplay,
  MemoryLine,
  ProcessLine,
  ReceiverLine,
  RunFacts,
  TransitionLine,
  WipeLine,
} from '../logs.ts';

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
  fencing: FencingCounts;
  jobs: LedgerJob[];
  attempts: LedgerAttempt[];
  deadLetters: LedgerDeadLetter[];
  replays: LedgerReplay[];
  keys: LedgerKey[];
  transitions: TransitionLine[];
}

/** What the workers' logs say of results that were not written. */
export interface FencingCounts {
  /** The ledger refused the write: another attempt holds the job. */
  fenced: number;
  /** The worker knew that its lease was lost, and did not try. */
  discarded: number;
}
