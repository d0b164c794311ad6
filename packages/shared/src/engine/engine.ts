import type { DispatchKey } from '../core/job/dispatch-key.ts';

/** What the workers of one build take from a queue. Those of the version before builds, `null`, take from the queue itself. */
export interface Lane {
  queue: string;
  buildId: string | null;
}

/** What the engine is told about a job: the ledger's id, the dispatch number and the trace. Never the payload. */
export interface EngineJob extends DispatchKey {
  type: string;
  traceparent: string | null;
}

/** Something that takes from the engine until it is told to stop. */
export interface Consumer {
  /** Takes nothing further; what is under way goes on. */
  pause(): Promise<void>;
  /** Lets go of the engine without waiting for it: closing politely hangs while Redis is down. */
  close(): Promise<void>;
}

/** A consumer of a lane. */
export interface LaneConsumer extends Consumer {
  /** Takes deliveries again after a pause, or another number of them at once. */
  goOn(options: { concurrency: number }): Promise<void>;
  /**
   * Has deliveries come again whose worker was lost before they were done, from now on until the consumer ends. One of a lane's
   * consumers does; where several do, it costs more.
   */
  bringBackLost(): void;
}

/**
 * Is the delivery engine: BullMQ on Redis or on Postgres, spoken to by queue and lane. Everything in it can be lost at any
 * moment; the ledger brings it back. Calls fail fast while the engine is away instead of waiting for it.
 */
export interface Engine {
  readonly kind: 'redis' | 'postgres';
  /** Tells whether calls are likely to succeed now. */
  isReady(): boolean;
  /**
   * Adds deliveries to a lane, in the order given, each of one job or several that one worker is to take together: behind what
   * waits there, or ahead of it.
   */
  deliver(lane: Lane, deliveries: EngineJob[][], options?: { isAhead: boolean }): Promise<void>;
  /** Takes deliveries from a lane, so many at once. One is done when `take` has settled, and comes again if its worker is lost before. */
  consume(
    lane: Lane,
    take: (delivery: DispatchKey[]) => Promise<void>,
    options: { concurrency: number },
  ): LaneConsumer;
  /**
   * Answers those of the jobs that a lane does not have, or no longer waits or works on. Of a job that is `isOverdue` it must
   * still wait: what it works on for so long without a claim hangs at a worker that is gone.
   */
  missing<Dispatched extends DispatchKey & { isOverdue?: boolean }>(
    lane: Lane,
    jobs: Dispatched[],
  ): Promise<Dispatched[]>;
  /** Tells whether one of the jobs waits in a lane for a worker to take it. */
  isWaiting(lane: Lane, jobs: DispatchKey[]): Promise<boolean>;
  /** Removes a lane with all that is in it. */
  removeLane(lane: Lane): Promise<void>;
  /** Where the dead letters of a queue are shown in Bull Board. */
  shelf(queue: string): Shelf;
  /**
   * Tells whether the engine was emptied since anyone last asked for this mark, and plants the mark anew: one asker
   * hears of each wipe, so every service has a mark of its own. Rejects while the engine is away.
   */
  wasWiped(mark: string): Promise<boolean>;
  /** Tells which part of the memory that it may use is taken, from 0 to 1; 0 where memory is no bound. */
  fullness(): Promise<number>;
  close(): Promise<void>;
}

/** What is shown of a dead letter; `data.error` is what its job died of. */
export interface ShelfEntry {
  id: string;
  title: string;
  data: Record<string, unknown> & { error: { message: string; stack?: string } };
  diedAt: Date;
}

/** The entries of a queue's dead letters: each stands there as failed, with the error that its job died of. */
export interface Shelf {
  /** How many there are, those that are not shown yet among them. */
  count(): Promise<number>;
  /** Adding one that is there changes nothing. */
  add(entry: ShelfEntry): Promise<void>;
  /** Answers those of the ids for which there is no entry. */
  missing(ids: string[]): Promise<string[]>;
  /** Answers the ids of a page of those that are shown. */
  list(offset: number, count: number): Promise<string[]>;
  /** Answers whether the entry is gone: one in the middle of its replay is not. */
  remove(id: string): Promise<boolean>;
  /**
   * Has entries show, and calls `replay` for each that an operator retries: one is gone when that resolves, and stands again
   * as it did when it rejects.
   */
  consume(replay: (id: string) => Promise<void>, options: { concurrency: number }): Consumer;
}
