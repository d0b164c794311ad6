import type { BreakerTarget } from '@accepted/shared/core/outbound/breaker-target';
import { Circuit } from '@accepted/shared/core/outbound/circuit';
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
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createHeldJobs, type HeldJobsOptions } from './held-jobs.ts';

/** The circuits that this worker knows, as they stand in the ledger. */
export interface SharedCircuits {
  of(target: BreakerTarget): Circuit;
  /** Opens it here at once, and for all soon. */
  open(target: BreakerTarget, errorCode: string): void;
  /** Has those wait for it as well that wait for slots, and would be dispatched one after the other. */
  holdWaiting(target: BreakerTarget): void;
  /** Closes it, and lets those go whom it held. */
  close(target: BreakerTarget): void;
  /** Asks to be the one that tries; `false` where somebody else does. When it is closed already, it is here as well. */
  askToTry(target: BreakerTarget): Promise<boolean>;
  leaveTryToOthers(target: BreakerTarget): void;
  /** Another worker has opened or closed one, or left it to others to try. */
  hasChanged(id: string): void;
  /** Others may have opened and closed some, and nobody has heard of it. */
  readAll(): void;
  /** Resolves when what was begun is written. */
  drain(): Promise<void>;
}

export interface CircuitOptions extends HeldJobsOptions {
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

export function shareCircuits(options: CircuitOptions): SharedCircuits {
  const { db, logger, onError, openSeconds = OPEN_SECONDS } = options;
  const circuits = new LRUCache<string, Circuit>({ max: MOST_TARGETS });
  const changed = createTeller((id) => notify(db, CHANNELS.breakerHasChanged, id), onError);
  const reader = createTeller(async (id) => adopt(id, await readBreaker(db, id)), onError);
  const underWay = new Set<Promise<void>>();
  const heldJobs = createHeldJobs(options);

  function circuitOf(id: string): Circuit {
    const known = circuits.get(id) ?? new Circuit();
    circuits.set(id, known);
    return known;
  }

  function adopt(id: string, standing: OpenBreaker | undefined): void {
    if (standing) takeOver(circuitOf(id), standing);
    else circuits.get(id)?.close();
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
        await heldJobs.holdWaiting(target);
      });
    },
    holdWaiting: (target) => inBackground(() => heldJobs.holdWaiting(target)),
    close(target) {
      circuitOf(target.id).close();
      inBackground(async () => {
        await closeBreaker(db, target.id);
        changed.tell(target.id);
        logger.info(shown(target), 'calls are answered: a circuit breaker was closed');
        await heldJobs.letAllGo(target);
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
        const standing = new Map((await readOpenBreakers(db, MOST_TARGETS)).map((one) => [one.id, one]));
        for (const [id, one] of standing) adopt(id, one);
        if (standing.size < MOST_TARGETS)
          for (const [id, circuit] of circuits.entries()) if (!standing.has(id)) circuit.close();
      }),
    async drain() {
      while (underWay.size > 0) await Promise.all(underWay);
      await Promise.all([changed.drain(), reader.drain()]);
    },
  };
}

/** Has a circuit stand as its breaker does in the ledger. */
function takeOver(circuit: Circuit, { openForMs, triedForMs }: OpenBreaker): void {
  const nowMs = performance.now();
  circuit.open(nowMs + openForMs);
  if (triedForMs > 0) circuit.isTried(nowMs + triedForMs);
}

/** The path of a URL may be a secret. */
function shown({ type, target }: BreakerTarget): Record<string, string> {
  return { type, origin: new URL(target).origin };
}
