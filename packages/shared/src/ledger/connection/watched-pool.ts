import pg from 'pg';

/** What the connections of a pool are doing, and who waits for one. */
export interface ConnectionCounts {
  busy: number;
  idle: number;
  waiting: number;
}

/** Is a pool that tells how long was waited for a connection: for one to be made, or for one that others have. */
export class WatchedPool extends pg.Pool {
  onWaited: (ms: number) => void = () => undefined;

  // pg has two overloads; Kysely uses the one without a callback, and the pool itself the other.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override connect(callback?: any): any {
    if (typeof callback === 'function') return super.connect(callback);
    return this.#connect();
  }

  async #connect(): Promise<pg.PoolClient> {
    const beganMs = performance.now();
    try {
      return await super.connect();
    } finally {
      this.onWaited(performance.now() - beganMs);
    }
  }

  counts(): ConnectionCounts {
    return {
      busy: this.totalCount - this.idleCount,
      idle: this.idleCount,
      waiting: this.waitingCount,
    };
  }
}
