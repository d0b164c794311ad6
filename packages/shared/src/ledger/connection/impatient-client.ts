import pg from 'pg';
import { nameOfStatement } from './statement-name.ts';
import { isReadOnlyServer, REQUIRE_WRITABLE } from './writable.ts';

/** The connections of this process, whichever pool has them: what one finds out about a server, the others are told. */
const openClients = new Set<ImpatientClient>();

/**
 * Is a connection that is given up as soon as it is of no use, instead of being kept for the next statement:
 *
 * - A statement has had no answer within `query_timeout`. pg itself fails it and keeps the connection, on which every
 *   later one waits behind the one that never ends: after a network partition a pool would be full of them.
 * - The server takes no writes (25006). After a failover the sessions to the old primary may stay open for long, and
 *   answer so.
 *
 * The other connections of the process to that address are then given up as well, when no statement is under way on
 * them: one that only listens would find out late, and one that only reads never. After a silence this spares those that
 * have heard from the server meanwhile. A connect that lands on a read-only server is refused.
 *
 * Statements that bear a name are prepared under it.
 */
export class ImpatientClient extends pg.Client {
  #givenUpFor: Error | undefined;
  /** What another connection has found out; this one ends when it is idle. */
  #suspicion: Error | undefined;
  #underWay = 0;
  #heardAt = Number.NEGATIVE_INFINITY;

  // pg has many overloads; only these forms are used here, and pool and driver see the others unchanged.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override connect(callback?: any): any {
    const connected = this.#connectToWritable();
    if (typeof callback !== 'function') return connected;
    connected.then((client) => callback(null, client), callback);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override query(...args: any[]): any {
    const callback = args.at(-1);
    if (typeof callback === 'function') return this.#queryWithCallback(args.slice(0, -1), callback);
    if (this.#givenUpFor) return Promise.reject(again(this.#givenUpFor));
    const answer: unknown = Reflect.apply(super.query, this, withName(args));
    if (answer instanceof Promise) {
      const settle = this.#begin();
      answer.then(() => settle(), settle);
    }
    return answer;
  }

  /** The form that the pool uses: it answers nothing that could be awaited. */
  #queryWithCallback(args: unknown[], callback: (error: unknown, result: unknown) => void): unknown {
    const settle = this.#begin();
    const told = (error: unknown, result: unknown) => {
      settle(error);
      callback(error, result);
    };
    return Reflect.apply(super.query, this, [...withName(args), told]);
  }

  async #connectToWritable(): Promise<this> {
    // Whoever waits is told by the rejection; nobody else listens yet.
    const ignore = () => undefined;
    this.on('error', ignore);
    try {
      await super.connect();
      await super.query(REQUIRE_WRITABLE);
    } catch (error) {
      void this.end().catch(ignore);
      throw error;
    } finally {
      this.off('error', ignore);
    }
    this.#heardAt = performance.now();
    openClients.add(this);
    this.once('end', () => openClients.delete(this));
    return this;
  }

  /** Counts a statement; answers what is to be called when it has ended, before its caller goes on. */
  #begin(): (error?: unknown) => void {
    const begunAt = performance.now();
    this.#underWay += 1;
    return (error) => {
      this.#underWay -= 1;
      const isSilent = isTimeout(error);
      if (!isSilent) this.#heardAt = performance.now();
      if (isSilent || isReadOnlyServer(error)) {
        this.#giveUp(error);
        for (const other of openClients)
          if (other.#isTo(this) && !(isSilent && other.#heardAt > begunAt)) other.#suspect(error);
      }
      this.#endIfSuspect();
    };
  }

  #isTo({ host, port }: ImpatientClient): boolean {
    return this.host === host && this.port === port;
  }

  #suspect(reason: Error): void {
    this.#suspicion = reason;
    this.#endIfSuspect();
  }

  /** What is under way, or in the middle of a transaction, may still come to its end. */
  #endIfSuspect(): void {
    if (this.#suspicion && this.#underWay === 0 && this.getTransactionStatus() === 'I')
      this.#giveUp(this.#suspicion);
  }

  /** Whoever keeps this connection is told by an `error`, as of one that broke: it may not be waiting for any answer. */
  #giveUp(reason: Error): void {
    if (this.#givenUpFor) return;
    this.#givenUpFor = reason;
    openClients.delete(this);
    void this.end().catch(() => undefined);
    if (this.listenerCount('error') > 0) this.emit('error', again(reason));
  }
}

function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Pools and drivers write on the errors that they are given, so each gets its own. */
function again(reason: Error): Error {
  return Object.assign(
    new Error(reason.message, { cause: reason }),
    'code' in reason && { code: reason.code },
  );
}

function withName(args: unknown[]): unknown[] {
  const [text, values, ...rest] = args;
  if (typeof text !== 'string' || !Array.isArray(values)) return args;
  const name = nameOfStatement(text);
  return name === undefined ? args : [{ name, text, values }, ...rest];
}
