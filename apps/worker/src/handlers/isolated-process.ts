import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { JobLogger, LogLine } from '@accepted/job';
import { failure, uncaught } from './attempt-error.ts';
import { importHandler } from './import-handler.ts';
import {
  EXIT_BY_ANOTHER,
  type FromProcess,
  type IsolatedAttempt,
  type ToProcess,
} from './isolated-protocol.ts';
import { createJobContext } from './job-context.ts';
import { type HandlerResult, runHandler } from './run-handler.ts';

// The program of a handler process: one attempt at a time, as the worker that started it asks.

let aborter = new AbortController();
let current: IsolatedAttempt | undefined;
let begun = 0;
let isEnding = false;

/** Follows each attempt into what it leaves running, such as timers and sockets. */
const scope = new AsyncLocalStorage<IsolatedAttempt>();

process.on('message', (message: ToProcess) => {
  if (message.kind === 'abort') aborter.abort(new DOMException(message.message, message.name));
  else if (!isEnding) void scope.run(message.attempt, run, message.attempt);
});

// The worker decides when a handler ends: a Ctrl-C reaches every process of the terminal, a deploy all of a group.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

process.on('disconnect', () => process.exit());

// A handler that blocks this thread never sees the channel close, so another one watches for the worker's death.
new Worker(new URL('./parent-watch.ts', import.meta.url), { workerData: Number(process.argv[2]) }).unref();

process.on('uncaughtException', (thrown) => {
  if (isEnding) return;
  isEnding = true;
  const isOwn = isOfCurrent();
  const exit = () => process.exit(isOwn ? 1 : EXIT_BY_ANOTHER);
  process.send?.(isOwn ? { kind: 'crashed', result: uncaught(thrown) } : stray(), exit);
});

// A handler that calls `process.exit` ends an attempt which runs now and is not its own, too.
process.on('exit', (code) => {
  if (current && !isOfCurrent()) process.exitCode = EXIT_BY_ANOTHER;
  else if (code === EXIT_BY_ANOTHER) process.exitCode = 1;
});

/** Whether what just happened is the doing of the attempt that runs; the first one has nobody else to blame. */
function isOfCurrent(): boolean {
  const culprit = scope.getStore();
  return current !== undefined && (culprit === current || (culprit === undefined && begun === 1));
}

function stray(): FromProcess {
  const culprit = scope.getStore();
  if (!culprit) return { kind: 'stray' };
  const { facts, attempt } = culprit;
  return { kind: 'stray', leftBy: { jobId: facts.id, type: facts.type, attempt } };
}

send({ kind: 'ready' });

async function run(attempt: IsolatedAttempt): Promise<void> {
  aborter = new AbortController();
  current = attempt;
  begun += 1;
  send({ kind: 'began' });
  let ended = false;
  // What an earlier attempt left running must not speak in the name of this one.
  const tell = (message: FromProcess) => ended || send(message);
  const result = await runAttempt(attempt, aborter.signal, tell);
  ended = true;
  current = undefined;
  send({ kind: 'ended', result });
}

async function runAttempt(
  { file, payload, facts, attempt, maxResultBytes }: IsolatedAttempt,
  signal: AbortSignal,
  tell: (message: FromProcess) => void,
): Promise<HandlerResult> {
  const onProgress = (value: unknown) => tell({ kind: 'progress', json: JSON.stringify(value) });
  const ctx = createJobContext(facts, attempt, { signal, logger: remoteLogger(tell), onProgress });
  try {
    const { definition } = await importHandler(file);
    return await runHandler(definition, payload, ctx, maxResultBytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failure('handler_not_loaded', `The handler file could not be loaded in its process: ${why}`, true);
  }
}

function remoteLogger(tell: (message: FromProcess) => void): JobLogger {
  const line = (level: keyof JobLogger): LogLine => {
    return (first: string | object, second?: string) => {
      const [fields, text] = typeof first === 'string' ? [{}, first] : [first, second];
      try {
        tell({ kind: 'log', level, fields, text });
      } catch {
        // A function or a socket among the fields cannot cross to another process.
        tell({ kind: 'log', level, fields: { fields: inspect(fields) }, text });
      }
    };
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

function send(message: FromProcess): void {
  process.send?.(message);
}
