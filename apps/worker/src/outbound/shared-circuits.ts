import type { BreakerTarget } from '@accepted/shared/core/outbound/breaker-target';
import { Circuit } from '@accepted/shared/core/outbound/circuit';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { createTeller } from '@accepted/shared/ledger/connection/teller';
import {
  closeBreaker,
  leaveTryToOthers,
  type OpenBreaker,
  type OpenSeconds,
  openBreaker,
  readBreaker,
  readOpenBreakers,
  tryBreaker,
} from '@accepted/shared/ledger/outbound/breakers';
import { letHeldJobsGo } from '@accepted/shared/ledger/outbound/held-jobs';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

/** The circuits that this worker knows, as they stand in the ledger. */
export interface SharedCircuits {
  of(target: BreakerTarget): Circuit;
  /** Opens it here at once, and for all soon. */
  open(target: BreakerTarget, errorCode: string): void;
  /** Closes it, and lets those go whom it held. */
  close(target: BreakerTarget): void;
  /** Asks to be the one that tries; `false` where somebody else does. When it is closed already, it is here as well. */
  askToTry(target: BreakerTarget): Promise<boolean>;
  leaveTryToOthers(target: BreakerTarget): void;
  /** Another worker has opened or closed one, or left it to others to try. */
  hasChanged(id: string): void;
  /** Others may have opened some, and nobody has heard of it. */
  readAll(): void;
  /** Resolves when what was begun is written. */
  drain(): Promise<void>;
}

export interface CircuitOptions {
  db: Database;
  /** Tells that jobs of a queue are due sooner than was known. */
  timesHaveChanged: (queue: string) => void;
  logger: Logger;
  onError: (error: unknown) => void;
  openSeconds?: OpenSeconds | undefined;
}

const OPEN_SECONDS: OpenSeconds = { first: 10, most: 300 };
/** Longer than a call may take, and to wait for a slot. */
const TRY_SECONDS = 75;
/** What this worker takes to hear who tries. */
const ASKING_MS = 1_000;
/** How many targets a process knows; one that is forgotten is found to be open when the next calls fail. */
const MOST_TARGETS = 10_000;
const LET_GO_AT_ONCE = 1_000;

export function shareCircuits(options: CircuitOptions): SharedCircuits {
  const { db, logger, onError, openSeconds = OPEN_SECONDS } = options;
  const circuits = new LRUCache<string, Circuit>({ max: MOST_TARGETS });
  const changed = createTeller((id) => notify(db, CHANNELS.breakerHasChanged, id), onError);
  const reader = createTeller(async (id) => adopt(id, await readBreaker(db, id)), onError);
  const underWay = new Set<Promise<void>>();

  function circuitOf(id: string): Circuit {
    const known = circuits.get(id) ?? new Circuit();
    circuits.set(id, known);
    return known;
  }

  /** Takes over how a breaker stands in the ledger. */
  function adopt(id: string, standing: OpenBreaker | undefined): void {
    if (!standing) {
      circuits.get(id)?.close();
      return;
    }
    const nowMs = performance.now();
    const circuit = circuitOf(id);
    circuit.open(nowMs + standing.openForMs);
    if (standing.triedForMs > 0) circuit.isTried(nowMs + standing.triedForMs);
  }

  function inBackground(work: () => Promise<void>): void {
    const run = work()
      .catch(onError)
      .finally(() => underWay.delete(run));
    underWay.add(run);
  }

  return {
    of: ({ id }) => circuitOf(id),
    open(target, errorCode) {
      circuitOf(target.id).open(performance.now() + openSeconds.first * 1_000);
      inBackground(async () => {
        adopt(target.id, await openBreaker(db, target, { errorCode, seconds: openSeconds }));
        const text = 'calls fail, so that others wait: a circuit breaker was opened';
        logger.warn({ err: errorCode, ...shown(target) }, text);
        changed.tell(target.id);
      });
    },
    close(target) {
      circuitOf(target.id).close();
      inBackground(async () => {
        await closeBreaker(db, target.id);
        changed.tell(target.id);
        logger.info(shown(target), 'calls are answered: a circuit breaker was closed');
        await letAllGo(options, target);
      });
    },
    async askToTry({ id }) {
      circuitOf(id).isTried(performance.now() + ASKING_MS);
      const answer = await tryBreaker(db, id, TRY_SECONDS);
      adopt(id, answer);
      return answer?.isOurs ?? false;
    },
    leaveTryToOthers({ id }) {
      circuitOf(id).isTried(performance.now());
      inBackground(async () => {
        await leaveTryToOthers(db, id);
        changed.tell(id);
      });
    },
    hasChanged: (id) => reader.tell(id),
    readAll: () =>
      inBackground(async () => {
        for (const standing of await readOpenBreakers(db, MOST_TARGETS)) adopt(standing.id, standing);
      }),
    async drain() {
      while (underWay.size > 0) await Promise.all(underWay);
      await Promise.all([changed.drain(), reader.drain()]);
    },
  };
}

async function letAllGo(
  { db, timesHaveChanged }: Pick<CircuitOptions, 'db' | 'timesHaveChanged'>,
  { id }: BreakerTarget,
): Promise<void> {
  for (let jobs = LET_GO_AT_ONCE; jobs === LET_GO_AT_ONCE; ) {
    const freed = await letHeldJobsGo(db, id, LET_GO_AT_ONCE);
    for (const queue of freed.queues) timesHaveChanged(queue);
    jobs = freed.jobs;
  }
}

/** The path of a URL may be a secret. */
function shown({ type, target }: BreakerTarget): Record<string, string> {
  return { type, origin: new URL(target).origin };
}
