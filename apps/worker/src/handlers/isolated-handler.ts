import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { type AttemptResult, HANDLER_EXITED } from '@accepted/shared/core/job/decide-outcome';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { failure } from './attempt-error.ts';
import type { Deadline } from './deadline.ts';
import {
  EXIT_BY_ANOTHER,
  type FromProcess,
  type IsolatedAttempt,
  type ToProcess,
} from './isolated-protocol.ts';
import type { ContextControls } from './job-context.ts';

/**
 * Lends a handler process, which `work` kills if nothing else may run there. `isUsed` says that others have run there and
 * that the process is lent to tell who is to blame for its death.
 */
export type LendProcess = <T>(
  signal: AbortSignal,
  work: (child: ChildProcess, isUsed?: boolean) => Promise<T>,
) => Promise<T>;

/** A process that has not taken the attempt by then is busy with what an earlier one left, or gone. */
const BEGINS_WITHIN_MS = 5_000;
const MAX_TRIES = 5;
/** So that a worker which cannot start processes does not claim and give back in circles. */
const PAUSE_WITHOUT_PROCESS_MS = 1_000;

/** Given back, and alone in its process next time: what ended the process was probably not this attempt. */
const SUSPECTED: AttemptResult = { kind: 'aborted', reason: 'suspected' };

/**
 * Runs one attempt in a handler process; the clock of its timeout starts when the process has taken it. It is killed
 * when the attempt is given up. A process that ends by itself (exit, out of memory, an uncaught exception) is
 * `handler_exited`, worth another attempt, unless an earlier attempt that ran there is known to have ended it.
 *
 * A process and not a thread: a thread that runs out of memory was measured to take the whole worker along.
 */
export async function runIsolated(
  attempt: IsolatedAttempt,
  controls: ContextControls,
  deadline: Deadline,
  lend: LendProcess,
): Promise<AttemptResult> {
  try {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const result = await lend(deadline.signal, (child, isUsed = false) =>
        converse({ child, isUsed }, attempt, controls, deadline),
      );
      if (result !== NEVER_BEGAN) return result;
    }
    controls.logger.warn('handler processes end before they take the job; it is given back');
  } catch (error) {
    if (!deadline.stopped)
      controls.logger.warn({ err: error }, 'no process for a handler; its job is given back');
  }
  await delay(PAUSE_WITHOUT_PROCESS_MS, undefined, { signal: deadline.signal }).catch(() => undefined);
  return { kind: 'aborted', reason: 'shutdown' };
}

const NEVER_BEGAN = Symbol('never began');

async function converse(
  { child, isUsed }: { child: ChildProcess; isUsed: boolean },
  attempt: IsolatedAttempt,
  controls: ContextControls,
  deadline: Deadline,
): Promise<AttemptResult | typeof NEVER_BEGAN> {
  const { promise, resolve } = Promise.withResolvers<AttemptResult | typeof NEVER_BEGAN>();
  let hasBegun = false;
  const send = (message: ToProcess) => child.send(message);
  const killUnlessBegun = setTimeout(() => child.kill('SIGKILL'), BEGINS_WITHIN_MS);
  const onMessage = (message: FromProcess) => {
    if (message.kind === 'began') {
      hasBegun = true;
      clearTimeout(killUnlessBegun);
      deadline.start();
    } else if (message.kind === 'progress') controls.onProgress(parseExactly(message.json));
    else if (message.kind === 'log') controls.logger[message.level](message.fields, message.text);
    else if (message.kind === 'ended' || message.kind === 'crashed') resolve(message.result);
    if (message.kind === 'crashed') child.kill('SIGKILL');
  };
  const onExit = (code: number | null, signal: string | null) => {
    if (!hasBegun) resolve(NEVER_BEGAN);
    else if (isUsed) resolve({ ...handlerExited(code, signal), died: 'usedProcess' });
    else resolve(code === EXIT_BY_ANOTHER ? SUSPECTED : handlerExited(code, signal));
  };
  const onAbort = () => send(abortMessage(deadline.signal.reason));
  deadline.whenGivenUp(() => child.kill('SIGKILL'));
  listenForStrays(child, controls.logger);
  child.on('message', onMessage).once('exit', onExit);
  deadline.signal.addEventListener('abort', onAbort);
  send({ kind: 'run', attempt });
  try {
    return await promise;
  } finally {
    clearTimeout(killUnlessBegun);
    child.off('message', onMessage).off('exit', onExit);
    deadline.signal.removeEventListener('abort', onAbort);
  }
}

const strayListeners = new WeakMap<ChildProcess, (message: FromProcess) => void>();

/** Tells what attempts left running in a process, until the next attempt there listens itself. */
function listenForStrays(child: ChildProcess, logger: ContextControls['logger']): void {
  const before = strayListeners.get(child);
  if (before) child.off('message', before);
  const onMessage = (message: FromProcess) => {
    if (message.kind !== 'stray') return;
    logger.error(
      { leftBy: message.leftBy },
      'a handler process ends of an exception that an ended attempt left',
    );
  };
  strayListeners.set(child, onMessage);
  child.on('message', onMessage);
}

function abortMessage({ name, message }: DOMException): ToProcess {
  return { kind: 'abort', name, message };
}

function handlerExited(
  code: number | null,
  signal: string | null,
): Extract<AttemptResult, { kind: 'threw' }> {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  const message = `The handler's process ended ${how} before its result.`;
  return { ...failure(HANDLER_EXITED, message, true), died: 'handlerProcess' };
}
