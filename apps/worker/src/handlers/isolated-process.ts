import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { JobLogger, LogLine } from '@accepted/job';
import { describeThrown, failure } from './attempt-error.ts';
import { importHandler } from './import-handler.ts';
import type { FromProcess, IsolatedAttempt, ToProcess } from './isolated-protocol.ts';
import { createJobContext } from './job-context.ts';
import { type HandlerResult, runHandler } from './run-handler.ts';

// The program of a handler process: one attempt at a time, as the worker that started it asks.

let aborter = new AbortController();

process.on('message', (message: ToProcess) => {
  if (message.kind === 'abort') aborter.abort(new DOMException(message.message, message.name));
  else void run(message.attempt);
});

// The worker decides when a handler ends: a Ctrl-C reaches every process of the terminal, a deploy all of a group.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

process.on('disconnect', () => process.exit());

// A handler that blocks this thread never sees the channel close, so another one watches for the worker's death.
new Worker(new URL('./parent-watch.ts', import.meta.url), { workerData: Number(process.argv[2]) }).unref();

process.on('uncaughtException', (thrown) => {
  const { message, stack } = describeThrown(thrown).error;
  const result = failure('handler_exited', `An exception that nobody caught: ${message}`, true, stack);
  process.send?.({ kind: 'crashed', result } satisfies FromProcess, () => process.exit(1));
});

send({ kind: 'ready' });

async function run(attempt: IsolatedAttempt): Promise<void> {
  aborter = new AbortController();
  let ended = false;
  // What an earlier attempt left running must not speak in the name of this one.
  const tell = (message: FromProcess) => ended || send(message);
  const result = await runAttempt(attempt, aborter.signal, tell);
  ended = true;
  send({ kind: 'ended', result });
}

async function runAttempt(
  { file, payload, facts, attempt, maxResultBytes }: IsolatedAttempt,
  signal: AbortSignal,
  tell: (message: FromProcess) => void,
): Promise<HandlerResult> {
  const onProgress = (value: unknown) => tell({ kind: 'progress', value });
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
