import type { JobKind } from '../logs.ts';
import type { Random } from '../random.ts';

/** A job as it is going to be submitted. */
export interface PlannedJob {
  key: string;
  kind: JobKind;
  body: {
    type: string;
    payload: object;
    delayMs?: number;
    timeoutMs?: number;
    retry: { maxAttempts: number; backoff: object };
    webhook?: { url: string; events: string[] };
  };
  /** How long after its acceptance it is canceled; not at all when left out. */
  cancelAfterMs?: number;
}

/** How many of a thousand jobs are of each kind; the rest are plain. */
const PER_THOUSAND = {
  retry: 40,
  webhook: 30,
  scheduled: 30,
  canceled: 20,
  slow: 12,
  timeout: 5,
  permanent: 4,
  isolated: 3,
} as const satisfies Partial<Record<JobKind, number>>;

export function planJob(n: number, random: Random, webhookUrl: string): PlannedJob {
  return makeJob(pickKind(random.int(0, 999)), n, random, webhookUrl);
}

function pickKind(drawn: number): JobKind {
  let left = drawn;
  for (const [kind, share] of Object.entries(PER_THOUSAND)) {
    left -= share;
    if (left < 0) return kind as JobKind;
  }
  return 'plain';
}

/** Enough that only a job which kills its worker itself can run out of attempts. */
const MANY_ATTEMPTS = 12;
const FEW_ATTEMPTS = 2;
const RETRY = {
  maxAttempts: MANY_ATTEMPTS,
  backoff: { type: 'exponential', delayMs: 200, maxMs: 2_000, jitter: 'full' },
};

/** Makes the `n`th job of a run, of the kind that is asked for. */
export function makeJob(kind: JobKind, n: number, random: Random, webhookUrl: string): PlannedJob {
  const key = `${kind}-${n}`;
  const effect = (more: object = {}) => ({
    type: 'faults.effect',
    payload: { n, workMs: random.int(0, 4), failures: 0, hangs: 0, ...more },
    retry: RETRY,
  });
  const lethal = { ...RETRY, maxAttempts: FEW_ATTEMPTS };
  switch (kind) {
    case 'plain':
    case 'probe':
      return { key, kind, body: effect() };
    case 'retry':
      return { key, kind, body: effect({ failures: random.int(1, 2) }) };
    case 'webhook':
      return { key, kind, body: { ...effect(), webhook: { url: webhookUrl, events: ['job.succeeded'] } } };
    case 'slow':
      return { key, kind, body: effect({ workMs: random.int(500, 2_500) }) };
    case 'timeout':
      return { key, kind, body: { ...effect({ hangs: 1 }), timeoutMs: 1_000 } };
    case 'scheduled':
      return { key, kind, body: { ...effect(), delayMs: random.int(200, 8_000) } };
    case 'canceled':
      return { key, kind, ...canceledJob(random, effect) };
    case 'isolated':
      return {
        key,
        kind,
        body: { type: 'faults.isolated', payload: { n, rounds: random.int(1, 20_000) }, retry: RETRY },
      };
    case 'blocking':
      return {
        key,
        kind,
        body: { type: 'faults.blocking', payload: { n, blockMs: random.int(5_000, 7_000) }, retry: RETRY },
      };
    case 'permanent':
      return { key, kind, body: { type: 'faults.permanent', payload: { n }, retry: RETRY } };
    case 'poison':
      return { key, kind, body: { type: 'faults.poison', payload: { n }, retry: lethal } };
    case 'leaking':
      return { key, kind, body: { type: 'faults.leaking', payload: { n }, retry: lethal } };
  }
}

/** Canceled while it waits for its time, or while it runs. */
function canceledJob(
  random: Random,
  effect: (more?: object) => PlannedJob['body'],
): Pick<PlannedJob, 'body' | 'cancelAfterMs'> {
  const cancelAfterMs = random.int(100, 3_000);
  if (random.fraction() < 0.5) return { body: { ...effect(), delayMs: 60_000 }, cancelAfterMs };
  return { body: effect({ workMs: 8_000 }), cancelAfterMs };
}
