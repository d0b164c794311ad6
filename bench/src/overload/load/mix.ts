import type { Priority } from '@accepted/shared/core/job/priority';

/** How often something comes, by comparison with the others. */
export interface Weighted {
  weight: number;
}

/** What a job is to do, and what is asked beside that. */
export interface JobKind extends Weighted {
  type: string;
  /** For how long its handler waits. */
  workMs?: number;
  /** What an `http.request` calls, in place of a handler of the benchmark. */
  callUrl?: string;
  /** Where the job's end is told. */
  webhookUrl?: string;
  ttlMs?: number;
}

/** Whose jobs they are. */
export interface Sender extends Weighted {
  name: string;
  headers: Readonly<Record<string, string>>;
}

/** What requests are made of. Each is drawn apart from the others, by the number of the request. */
export interface Mix {
  kinds: readonly JobKind[];
  senders: readonly Sender[];
  payloads: readonly ({ bytes: number } & Weighted)[];
  /** Requests say nothing of it when left out. */
  priorities?: readonly ({ priority: Priority } & Weighted)[];
  /** So many of the accepted jobs are asked for once, half a second later; none when left out. */
  pollShare?: number;
}

/** One request of a mix. */
export interface Picked {
  kind: JobKind;
  sender: Sender;
  bytes: number;
  priority: Priority | undefined;
  isPolled: boolean;
}

/** What people send: much that is short and small, some that is not. 21 ms of a handler a job. */
export const MIXED_KINDS: readonly JobKind[] = [
  { type: 'overload.mail', workMs: 10, weight: 5 },
  { type: 'overload.import', workMs: 20, weight: 3 },
  { type: 'overload.report', workMs: 50, weight: 2 },
];

/** 4.6 kB a job. */
export const MIXED_PAYLOADS: Mix['payloads'] = [
  { bytes: 200, weight: 60 },
  { bytes: 1_000, weight: 25 },
  { bytes: 10_000, weight: 12 },
  { bytes: 100_000, weight: 3 },
];

export const MIXED_PRIORITIES: NonNullable<Mix['priorities']> = [
  { priority: 'critical', weight: 5 },
  { priority: 'high', weight: 15 },
  { priority: 'normal', weight: 50 },
  { priority: 'low', weight: 30 },
];

/** Weights after Zipf's law: the second has half of what the first has, the third a third. */
export function zipfWeights(count: number): number[] {
  return Array.from({ length: count }, (_, place) => 1 / (place + 1));
}

/** How long a handler works on a job of these kinds. */
export function meanWorkMs(kinds: readonly JobKind[]): number {
  return kinds.reduce((sum, { workMs = 0, weight }) => sum + workMs * weight, 0) / totalOf(kinds);
}

/** Tells what the request of a number is: the same each time, in whichever process. */
export function createPicker(mix: Mix): (n: number) => Picked {
  const { kinds, senders, payloads, priorities, pollShare = 0 } = mix;
  const kindOf = createChoice(kinds, 1);
  const senderOf = createChoice(senders, 2);
  const payloadOf = createChoice(payloads, 3);
  const priorityOf = priorities && createChoice(priorities, 4);
  return (n) => ({
    kind: kindOf(n),
    sender: senderOf(n),
    bytes: payloadOf(n).bytes,
    priority: priorityOf?.(n).priority,
    isPolled: fractionOf(n, 5) < pollShare,
  });
}

function createChoice<Item extends Weighted>(items: readonly Item[], salt: number): (n: number) => Item {
  const total = totalOf(items);
  const last = items.at(-1);
  if (!last) throw new Error('There is nothing to choose from.');
  return (n) => {
    let left = fractionOf(n, salt) * total;
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
    return last;
  };
}

function totalOf(items: readonly Weighted[]): number {
  return items.reduce((sum, { weight }) => sum + weight, 0);
}

/** From 0 up to 1, as if drawn: the finalizer of MurmurHash3. */
function fractionOf(n: number, salt: number): number {
  let hash = (n + Math.imul(salt, 0x9e3779b9)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
