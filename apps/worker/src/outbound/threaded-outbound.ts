import { AsyncLocalStorage } from 'node:async_hooks';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { type Outbound, OutboundError, type OutboundReply } from './guarded-request.ts';
import type { FromThread, ThreadData, ToThread } from './thread-protocol.ts';

const PROGRAM = new URL('./outbound-thread.ts', import.meta.url);

/** What the slots of two queues at the largest WORKER_CONCURRENCY and WEBHOOK_CONCURRENCY ask for at once, suspects included. */
const MAX_UNDER_WAY = 4_000;

/** A call ends at its timeout. One that is not answered for so much longer has met a thread that is stuck. */
const STUCK_AFTER_MS = 10_000;

export interface ThreadOptions extends ThreadData {
  logger: Pick<Logger, 'warn'>;
  program?: URL;
  stuckAfterMs?: number;
}

/**
 * Makes calls in a thread of their own: what a receiver sends is parsed there, and cannot delay claims, outcomes and
 * heartbeats. The thread starts with the first call. When it ends, the calls that are under way fail as a
 * `network_error`, which is worth another try, and the next call starts a new one.
 */
export function createThreadedOutbound(options: ThreadOptions): Outbound {
  // The thread would else count as the doing of the attempt that happens to start it, and keep its payload.
  const outsideOfAttempts = AsyncLocalStorage.snapshot();
  let thread: Outbound | undefined;

  const onEnded = (error: unknown) => {
    thread = undefined;
    options.logger.warn({ err: error }, 'the thread of outbound calls ended; the next call starts it anew');
  };
  return (call) => {
    thread ??= outsideOfAttempts(startThread, options, onEnded);
    return thread(call);
  };
}

function startThread(
  { allowPrivateNetworks, program = PROGRAM, stuckAfterMs = STUCK_AFTER_MS }: ThreadOptions,
  onEnded: (error: unknown) => void,
): Outbound {
  const workerData: ThreadData = { allowPrivateNetworks };
  const worker = new Worker(program, { name: 'outbound', workerData });
  const underWay = new Map<number, PromiseWithResolvers<FromThread>>();
  const tell = (message: ToThread) => worker.postMessage(message);
  let lastId = 0;
  let failure: unknown;
  const endStuck = () => {
    failure = new Error('The thread left a call unanswered.');
    void worker.terminate();
  };
  // Whoever waits for a call keeps the process; the thread alone must not.
  worker.unref();
  worker.on('message', (answer: FromThread) => underWay.get(answer.id)?.resolve(answer));
  worker.on('error', (error) => {
    failure = error;
  });
  worker.once('exit', () => {
    const ended = new OutboundError('network_error', 'The thread that makes calls has ended.');
    for (const { reject } of underWay.values()) reject(ended);
    onEnded(failure);
  });

  return async ({ signal, ...request }) => {
    signal.throwIfAborted();
    if (underWay.size >= MAX_UNDER_WAY)
      throw new OutboundError('network_error', `More than ${MAX_UNDER_WAY} calls are under way.`);
    lastId += 1;
    const id = lastId;
    const answer = Promise.withResolvers<FromThread>();
    const abort = () => {
      tell({ kind: 'abort', id });
      answer.reject(signal.reason);
    };
    const stuck = setTimeout(endStuck, request.timeoutMs + stuckAfterMs);
    underWay.set(id, answer);
    signal.addEventListener('abort', abort, { once: true });
    try {
      tell({ kind: 'call', id, request });
      return readAnswer(await answer.promise);
    } finally {
      underWay.delete(id);
      clearTimeout(stuck);
      signal.removeEventListener('abort', abort);
    }
  };
}

function readAnswer(answer: FromThread): OutboundReply {
  if (answer.kind === 'replied') return { ...answer.reply, body: Buffer.from(answer.body.buffer) };
  const { code, message, reason } = answer;
  const cause = Object.assign(new Error(message), { stack: reason });
  throw new OutboundError(code, message, { cause });
}
