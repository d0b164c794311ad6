import { PRIORITIES, type Priority } from '@accepted/shared/core/job/priority';
import { BOUNDED_TYPE } from '../bounded-type.ts';
import type { JobKind } from '../kinds.ts';
import type { Random } from '../random.ts';

/** A job as it is going to be submitted. */
export interface PlannedJob {
  key: string;
  kind: JobKind;
  body: {
    type: string;
    payload: object;
    queue?: string;
    priority?: Priority;
    delayMs?: number;
    ttlMs?: number;
    concurrencyKey?: string;
    timeoutMs?: number;
    retry: { maxAttempts: number; backoff: object };
    webhook?: { url: string; events: string[] };
  };
  /** How long after its acceptance it is canceled; not at all when left out. */
  cancelAfterMs?: number;
}

/** Where the tenants of a run get their webhooks. */
export interface ReceiverUrls {
  own: string;
  tls: string;
  neighbour: string;
}

const EVENTS = ['job.succeeded'];

/** How many of a thousand jobs are of each kind; the rest are plain. */
const PER_THOUSAND = {
  retry: 40,
  webhook: 30,
  scheduled: 30,
  canceled: 20,
  limited: 12,
  bounded: 12,
  slow: 12,
  neighbour: 10,
  expiring: 5,
  timeout: 5,
  permanent: 4,
  isolated: 3,
} as const satisfies Partial<Record<JobKind, number>>;

/** How many jobs of the load ask for a priority; the rest are normal. */
const SHARE_WITH_PRIORITY = 0.1;

export function planJob(n: number, random: Random, receivers: ReceiverUrls): PlannedJob {
  const job = makeJob(pickKind(random.int(0, 999)), n, random, receivers);
  if (random.fraction() < SHARE_WITH_PRIORITY) job.body.priority = random.pick(PRIORITIES);
  return job;
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
export function makeJob(kind: JobKind, n: number, random: Random, receivers: ReceiverUrls): PlannedJob {
  const effect = (more: object = {}) => ({
    type: 'faults.effect',
    payload: { n, workMs: random.int(0, 4), failures: 0, hangs: 0, ...more },
    retry: RETRY,
  });
  const key = `${kind}-${n}`;
  if (kind === 'canceled') return { key, kind, ...canceledJob(random, effect) };
  return { key, kind, body: bodyOf(kind, n, { random, receivers, effect }) };
}

interface Makings {
  random: Random;
  receivers: ReceiverUrls;
  effect: (more?: object) => PlannedJob['body'];
}

function bodyOf(
  kind: Exclude<JobKind, 'canceled'>,
  n: number,
  { random, receivers, effect }: Makings,
): PlannedJob['body'] {
  switch (kind) {
    case 'plain':
    case 'probe':
    case 'rated':
      return effect();
    case 'crowded':
      return { ...effect(), delayMs: 2_000 };
    case 'retry':
      return effect({ failures: random.int(1, 2) });
    case 'webhook':
      return { ...effect(), webhook: { url: receivers.own, events: EVENTS } };
    case 'tlsWebhook':
      return { ...effect(), webhook: { url: receivers.tls, events: EVENTS } };
    case 'neighbour':
      return { ...effect(), webhook: { url: receivers.neighbour, events: EVENTS } };
    case 'limited':
      return limitedJob(n, effect({ workMs: random.int(100, 500) }), random);
    case 'bounded':
      return { ...accountJob(n, random), ...(random.fraction() < 0.5 && { queue: 'default' }) };
    case 'expiring':
      return { ...effect(), delayMs: 4_000, ttlMs: 4_001 };
    case 'slow':
      return effect({ workMs: random.int(500, 2_500) });
    case 'long':
      return effect({ workMs: 12_000 });
    case 'timeout':
      return { ...effect({ hangs: 1 }), timeoutMs: 1_000 };
    case 'scheduled':
      return { ...effect(), delayMs: random.int(200, 8_000) };
    case 'isolated':
      return { type: 'faults.isolated', payload: { n, rounds: random.int(1, 20_000) }, retry: RETRY };
    case 'blocking':
      return { type: 'faults.blocking', payload: { n, blockMs: random.int(5_000, 7_000) }, retry: RETRY };
    case 'permanent':
    case 'bystander':
    case 'throwing':
      return { type: `faults.${kind}`, payload: { n }, retry: RETRY };
    case 'poison':
    case 'leaking':
      return { type: `faults.${kind}`, payload: { n }, retry: { ...RETRY, maxAttempts: FEW_ATTEMPTS } };
    case 'weighedLight':
    case 'weighedHeavy':
      return { ...weighedJob(n), queue: 'default' };
    case 'steadyLight':
    case 'steadyHeavy':
      return weighedJob(n);
    case 'firstBuild':
    case 'secondBuild':
    case 'thirdBuild':
    case 'addedBySecond':
    case 'addedByThird':
      return bodyForBuild(kind, n);
  }
}

/** Of a type whose jobs all take as long: what becomes slow is held down. */
const weighedJob = (n: number) => ({ type: 'faults.weighed', payload: { n, workMs: 100 }, retry: RETRY });

/** What only some builds take (`jobs/versioned.ts`, `jobs/added.ts`). */
const FOR_BUILDS = {
  firstBuild: { type: 'faults.versioned', payload: {} },
  secondBuild: { type: 'faults.versioned', payload: { second: true } },
  thirdBuild: { type: 'faults.versioned', payload: { second: true, third: true } },
  addedBySecond: { type: 'faults.added-2', payload: {} },
  addedByThird: { type: 'faults.added-3', payload: {} },
};

/** A burnt attempt is its end. */
function bodyForBuild(kind: keyof typeof FOR_BUILDS, n: number): PlannedJob['body'] {
  const { type, payload } = FOR_BUILDS[kind];
  return { type, payload: { n, ...payload }, retry: { ...RETRY, maxAttempts: 1 } };
}

/** Few keys, so that most of these jobs have to wait for another. */
const ACCOUNTS = 3;

/** Of each key some are of one type and queue, and some of another. */
function limitedJob(n: number, body: PlannedJob['body'], random: Random): PlannedJob['body'] {
  const concurrencyKey = `account-${n % ACCOUNTS}`;
  return { ...(random.fraction() < 0.5 ? body : accountJob(n, random)), concurrencyKey };
}

/** An operator bounds how many of this type run at once (`bounded-type.ts`), so they are short. */
function accountJob(n: number, random: Random): PlannedJob['body'] {
  return { type: BOUNDED_TYPE, payload: { n, workMs: random.int(100, 300) }, retry: RETRY };
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
