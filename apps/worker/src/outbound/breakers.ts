import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { type BreakerTarget, breakerTargetOf } from '@accepted/shared/core/outbound/breaker-target';
import { type CallVerdict, callVerdict } from '@accepted/shared/core/outbound/call-verdict';
import type { Circuit } from '@accepted/shared/core/outbound/circuit';
import { type CircuitOptions, type SharedCircuits, shareCircuits } from './shared-circuits.ts';

export type Held = Extract<AttemptResult, { kind: 'held' }>;

/** How a job passes the circuit breaker of what it calls. */
export interface Passage {
  /** Says so if it was opened since: then the job must not run either. */
  heldSince(): Held | undefined;
  /** Tells what came of it. */
  ended(result: AttemptResult): void;
}

/** Keeps jobs from calling what does not answer, as this worker or another one has found. */
export interface Breakers extends Pick<SharedCircuits, 'hasChanged' | 'readAll' | 'drain'> {
  /** Asks the ledger only where one is to try whether what is called answers again. */
  enter(job: ClaimedJob): Passage | { held: Held } | Promise<Passage | { held: Held }>;
}

/** A job that calls, and what is known of that. */
interface Call {
  target: BreakerTarget;
  circuit: Circuit;
  queue: string;
}

/** Of a job that calls nothing. */
const FREE: Passage = { heldSince: () => undefined, ended: () => undefined };

const isClosed = ({ circuit }: Call) => circuit.openForMs(performance.now()) === undefined;

export function createBreakers(options: CircuitOptions): Breakers {
  const { counters, onError } = options;
  const circuits = shareCircuits(options);

  function hold({ target, circuit }: Call): Held {
    circuits.holdWaiting(target);
    return { kind: 'held', breakerId: target.id, forMs: circuit.nextInMs(performance.now()) };
  }

  function open({ target, queue }: Call, result: AttemptResult): void {
    circuits.open(target, result.kind === 'threw' ? result.error.code : 'timeout');
    counters.add('breakers_opened', queue, 1, target.type);
  }

  function pass(call: Call): Passage {
    return {
      heldSince: () => (isClosed(call) ? undefined : hold(call)),
      ended(result) {
        // What began before it was opened says nothing new.
        if (isClosed(call) && call.circuit.count(callVerdict(result))) open(call, result);
      },
    };
  }

  /** The one that tries whether what is called answers again. */
  function tryOut(call: Call): Passage {
    const after: Record<CallVerdict, (result: AttemptResult) => void> = {
      answered: () => circuits.close(call.target),
      failed: (result) => open(call, result),
      unknown: () => circuits.leaveTryToOthers(call.target),
    };
    return { heldSince: () => undefined, ended: (result) => after[callVerdict(result)](result) };
  }

  async function tryIfNobodyDoes(call: Call): Promise<Passage | { held: Held }> {
    try {
      if (await circuits.askToTry(call.target)) return tryOut(call);
      if (isClosed(call)) return pass(call);
    } catch (error) {
      onError(error);
    }
    return { held: hold(call) };
  }

  return {
    enter(job) {
      const target = breakerTargetOf(job);
      if (!target) return FREE;
      const call = { target, circuit: circuits.of(target), queue: job.queue };
      const openForMs = call.circuit.openForMs(performance.now());
      if (openForMs === undefined) return pass(call);
      return openForMs > 0 ? { held: hold(call) } : tryIfNobodyDoes(call);
    },
    hasChanged: circuits.hasChanged,
    readAll: circuits.readAll,
    drain: circuits.drain,
  };
}
