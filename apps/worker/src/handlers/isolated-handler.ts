import type { ChildProcess } from 'node:child_process';
import { failure } from './attempt-error.ts';
import type { Deadline } from './deadline.ts';
import type { FromProcess, IsolatedAttempt, ToProcess } from './isolated-protocol.ts';
import type { ContextControls } from './job-context.ts';
import { withProcess } from './process-pool.ts';
import type { HandlerResult } from './run-handler.ts';

/**
 * Runs one attempt in a process of its own; the clock of its timeout starts when a process is free. It is killed
 * when the attempt is given up. A process that ends by itself (exit, out of memory, an uncaught exception) is
 * `handler_exited`, worth another attempt.
 *
 * A process and not a thread: a thread that runs out of memory was measured to take the whole worker along.
 */
export async function runIsolated(
  attempt: IsolatedAttempt,
  controls: ContextControls,
  deadline: Deadline,
): Promise<HandlerResult> {
  try {
    return await withProcess(deadline.signal, (child) => converse(child, attempt, controls, deadline));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failure('handler_exited', `There was no process for the handler: ${why}`, true);
  }
}

async function converse(
  child: ChildProcess,
  attempt: IsolatedAttempt,
  controls: ContextControls,
  deadline: Deadline,
): Promise<HandlerResult> {
  const { promise, resolve } = Promise.withResolvers<HandlerResult>();
  const send = (message: ToProcess) => child.send(message);
  const onMessage = (message: FromProcess) => {
    if (message.kind === 'progress') controls.onProgress(message.value);
    else if (message.kind === 'log') controls.logger[message.level](message.fields, message.text);
    else if (message.kind !== 'ready') resolve(message.result);
    if (message.kind === 'crashed') child.kill('SIGKILL');
  };
  const onExit = (code: number | null, signal: string | null) => resolve(handlerExited(code, signal));
  const onAbort = () => send(abortMessage(deadline.signal.reason));
  void deadline.givenUp.then(() => child.kill('SIGKILL'));
  child.on('message', onMessage).once('exit', onExit);
  deadline.signal.addEventListener('abort', onAbort);
  deadline.start();
  send({ kind: 'run', attempt });
  try {
    return await promise;
  } finally {
    child.off('message', onMessage).off('exit', onExit);
    deadline.signal.removeEventListener('abort', onAbort);
  }
}

function abortMessage({ name, message }: DOMException): ToProcess {
  return { kind: 'abort', name, message };
}

function handlerExited(code: number | null, signal: string | null): HandlerResult {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return failure('handler_exited', `The handler's process ended ${how} before its result.`, true);
}
