import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { type DispatchTurn, dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { storePasses } from '@accepted/shared/ledger/jobs/store-passes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { TurnRules } from '@accepted/shared/ledger/jobs/turn-rules';

/**
 * Now and then the queue is read whole, whatever was told of it: after a failover that lost transactions, those of the new
 * server may have the numbers of lost ones. Where that takes long it is done more seldom.
 */
const READ_WHOLE_EVERY_MS = 10_000;
const MOST_TIME_FOR_IT = 1 / 50;
const STORE_EVERY_MS = 1_000;
/** So often keys are looked at whose slots jobs of other queues have, as nobody tells of those. */
const LOOK_ELSEWHERE_EVERY_MS = 100;

/** What a handler is taken to need before any of the queue has been seen to end. */
const UNKNOWN_MS = 1_000;

/** How long the handlers of a queue have been taking of late, in whatever worker. */
export interface TypicalTimes {
  /** Of quick ones, while there are any. */
  handlerMs: number;
  /** Of those that are not quick. */
  slowMs: number;
}

/** A queue as its dispatcher knows it from turn to turn. */
export interface KnownQueue {
  takeTurn(windows: LaneWindow[], rules: TurnRules): Promise<DispatchTurn>;
  /** Stores what the next dispatcher has to know, once a second at most, where somebody has had much more than others. */
  store(): Promise<void>;
  typicalTimes(): TypicalTimes;
  /** In how many milliseconds there is something to look at that nobody tells of. */
  lookAgainInMs(): number;
}

export function createKnownQueue(db: Database, queue: string): KnownQueue {
  let known: QueuePicture | undefined;
  let goodUntilMs = Number.NEGATIVE_INFINITY;
  let storedAtMs = performance.now();
  let storedPasses = 0;
  let lookedElsewhereAtMs = performance.now();
  let limits = '';

  async function readWhole(): Promise<QueuePicture> {
    const beganMs = performance.now();
    const picture = await surveyQueue(db, queue, known);
    const endedMs = performance.now();
    goodUntilMs = endedMs + Math.max(READ_WHOLE_EVERY_MS, (endedMs - beganMs) / MOST_TIME_FOR_IT);
    return picture;
  }

  /** A limit that was raised leaves slots free that nobody gives back. */
  function openKeys({ lines }: QueuePicture, rules: TurnRules): void {
    const now = JSON.stringify(rules.limits);
    if (now !== limits) lines.gates.openAll();
    limits = now;
    if (performance.now() - lookedElsewhereAtMs < LOOK_ELSEWHERE_EVERY_MS) return;
    lookedElsewhereAtMs = performance.now();
    lines.gates.openHeldElsewhere();
  }

  return {
    async takeTurn(windows, rules) {
      const picture = known && performance.now() < goodUntilMs ? known : await readWhole();
      // A turn that fails may have put jobs into flight.
      known = undefined;
      openKeys(picture, rules);
      const turn = await dispatchJobs(db, queue, windows, { ...rules, picture });
      // Whoever took the turn has put jobs into flight that the picture does not show.
      if (!turn.lost) known = turn.picture;
      return turn;
    },
    async store() {
      if (!known || performance.now() - storedAtMs < STORE_EVERY_MS) return;
      storedAtMs = performance.now();
      const { order, flights } = known;
      order.forget(flights.has);
      const passes = order.state().passes.length;
      if (passes + storedPasses === 0) return;
      storedPasses = passes;
      // Whoever had a turn since has put jobs into flight that the picture does not show.
      const picture = known;
      known = undefined;
      if (await storePasses(db, queue, picture)) known = picture;
    },
    typicalTimes() {
      const slowMs = known?.times.slowMs() ?? UNKNOWN_MS;
      return {
        handlerMs: known?.times.quickMs() ?? slowMs,
        slowMs,
      };
    },
    lookAgainInMs: () =>
      known?.lines.gates.isAnyHeldElsewhere() ? LOOK_ELSEWHERE_EVERY_MS : Number.POSITIVE_INFINITY,
  };
}
