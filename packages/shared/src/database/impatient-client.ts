import pg from 'pg';
import { nameOfStatement } from './statement-name.ts';

/**
 * Is a connection that is given up when a statement has had no answer within `query_timeout`. pg itself fails the
 * statement and keeps the connection, on which every later one waits behind the one that never ends: after a
 * network partition a pool would be full of them. Statements that bear a name are prepared under it.
 */
export class ImpatientClient extends pg.Client {
  // pg has many overloads; only the promise form is used here, and pool and driver see the others unchanged.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override query(...args: any[]): any {
    const answer: unknown = Reflect.apply(super.query, this, withName(args));
    if (answer instanceof Promise) answer.catch((error: unknown) => this.#giveUpAfterTimeout(error));
    return answer;
  }

  #giveUpAfterTimeout(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout')
      void this.end().catch(() => undefined);
  }
}

function withName(args: unknown[]): unknown[] {
  const [text, values, ...rest] = args;
  if (typeof text !== 'string' || !Array.isArray(values)) return args;
  const name = nameOfStatement(text);
  return name === undefined ? args : [{ name, text, values }, ...rest];
}
