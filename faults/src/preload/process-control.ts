// Preloaded with `--import` into the API and the workers of a run: lets the suite kill a process at a named point and
// move its clock, without a hook in the code under test.
import { isMainThread } from 'node:worker_threads';
import pg from 'pg';
import {
  arm,
  armedFor,
  type ControlAnswer,
  type ControlMessage,
  type KillPoint,
  reachKillPoint,
} from './kill-point.ts';
import { shiftClock } from './shifted-clock.ts';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** The point that waits for the commit of the transaction that a connection is in. */
const waitingForCommit = new WeakMap<pg.Client, KillPoint>();
const inTransaction = new WeakSet<pg.Client>();

function controlled(query: Query): Query {
  return function (this: pg.Client, ...args) {
    const statement = textOf(args[0]);
    const hit = armedFor(statement);
    if (hit?.when === 'asked') reachKillPoint(hit.point);
    if (/^begin/i.test(statement)) inTransaction.add(this);
    const answer = query.apply(this, args);
    if (hit?.when === 'sent') reachKillPoint(hit.point);
    if (!(answer instanceof Promise)) return answer;
    return answer.then((result) => {
      const done = hit?.when === 'committed' && hit.countsWith(result.rows);
      if (done && !inTransaction.has(this)) reachKillPoint(hit.point);
      if (done) waitingForCommit.set(this, hit.point);
      if (/^(commit|rollback)/i.test(statement)) endTransaction(this, statement);
      return result;
    });
  };
}

function endTransaction(client: pg.Client, statement: string): void {
  const point = waitingForCommit.get(client);
  inTransaction.delete(client);
  waitingForCommit.delete(client);
  if (point && /^commit/i.test(statement)) reachKillPoint(point);
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : '';
}

if (isMainThread && process.channel) {
  pg.Client.prototype.query = controlled(pg.Client.prototype.query as Query) as pg.Client['query'];
  process.on('message', (message: ControlMessage) => {
    if ('arm' in message) arm(message.arm);
    else shiftClock(message.shiftClockMs);
    process.send?.({ now: Date.now() } satisfies ControlAnswer);
  });
  // Listening must not keep a program alive that is done.
  process.channel.unref();
}
