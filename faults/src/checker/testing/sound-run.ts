import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { LedgerAttempt, LedgerJob } from '../../ledger-rows.ts';
import type { AckLine, EffectLine, FaultLine, ReceiverLine } from '../../logs.ts';
import type { Evidence } from '../evidence.ts';

export const ack = (over: Partial<AckLine> = {}): AckLine => ({
  at: 1_000,
  key: 'k1',
  outcome: 'accepted',
  status: 202,
  jobId: 'job_1',
  kind: 'plain',
  isProblem: false,
  latencyMs: 20,
  during: null,
  final: true,
  ...over,
});

export const job = (over: Partial<LedgerJob> = {}): LedgerJob => ({
  jobId: 'job_1',
  type: 'fault.effect',
  queue: 'default',
  status: 'succeeded',
  attempt: 1,
  attemptsMade: 1,
  maxAttempts: 3,
  replayRound: 0,
  priority: 'normal',
  dispatchNo: 1,
  concurrencyKey: null,
  hasWebhook: false,
  eventId: null,
  eventJobId: null,
  createdAt: 1_000,
  startedAt: 1_100,
  finishedAt: 1_200,
  resultToken: 1,
  ...over,
});

export const attempt = (over: Partial<LedgerAttempt> = {}): LedgerAttempt => ({
  jobId: 'job_1',
  attempt: 1,
  replayRound: 0,
  workerId: 'worker',
  outcome: 'succeeded',
  errorCode: null,
  startedAt: 1_100,
  finishedAt: 1_200,
  ...over,
});

export const effect = (over: Partial<EffectLine> = {}): EffectLine => ({
  at: 1_150,
  pid: 7,
  jobId: 'job_1',
  token: 1,
  phase: 'effect',
  ...over,
});

export const hit = (over: Partial<ReceiverLine> = {}): ReceiverLine => ({
  at: 1_300,
  webhookId: 'evt_1',
  bodyHash: 'aa',
  signatureValid: true,
  replied: 200,
  jobId: 'job_1',
  event: 'job.succeeded',
  ...over,
});

export const fault = (over: Partial<FaultLine> = {}): FaultLine => ({
  at: 1_050,
  kind: 'worker-killed',
  target: 'worker-1',
  fired: true,
  firedProof: 'pid 7 is gone',
  endedAt: 1_060,
  recoveredAt: 1_500,
  ...over,
});

/** The delivery that tells of `job_1`. */
export const delivery = (over: Partial<LedgerJob> = {}): LedgerJob =>
  job({
    jobId: 'job_2',
    type: DELIVERY_TYPE,
    queue: 'webhooks',
    maxAttempts: 10,
    eventId: 'evt_1',
    eventJobId: 'job_1',
    resultToken: null,
    ...over,
  });

/** A run of one job with a webhook, one fault and one wipe, of which every invariant holds. */
export function soundRun(over: Partial<Evidence> = {}): Evidence {
  return {
    run: {
      seed: 1,
      size: 'small',
      engine: 'redis',
      jobs: 1,
      faults: 1,
      startedAt: 0,
      loadStartedAt: 900,
      loadEndedAt: 1_100,
      drainedAt: 2_000,
      endedAt: 3_000,
      leaseMs: 3_000,
      command: 'npm run faults',
      commit: 'abc1234',
      notRun: [],
      problems: [],
    },
    acks: [ack()],
    effects: [effect({ phase: 'start' }), effect()],
    hits: [hit()],
    faults: [fault()],
    wipes: [{ at: 1_050, kind: 'redis-flushed', jobs: [{ jobId: 'job_1', dispatchNo: 1, attempt: 0 }] }],
    processes: [],
    memory: [],
    sayings: [],
    jobs: [job({ hasWebhook: true }), delivery()],
    attempts: [attempt(), attempt({ jobId: 'job_2' })],
    deadLetters: [],
    replays: [],
    keys: [{ key: 'k1', jobId: 'job_1' }],
    transitions: [],
    leases: [],
    ...over,
  };
}
