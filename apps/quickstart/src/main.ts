import { once } from 'node:events';
import { ConfigError } from '@accepted/shared/runtime/config/parse-config';
import { readConfig } from './config.ts';
import { StartError } from './start-error.ts';
import { startEverything } from './start-everything.ts';

/** Starts everything, runs until it is told to end, and then ends everything, the last started first. */
async function main(): Promise<void> {
  const told = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.abort());
  // When the terminal is gone there is nobody to read, but still something to end.
  process.stdout.on('error', () => undefined);

  await using started = new AsyncDisposableStack();
  try {
    const failing = await startEverything(readConfig(), started, told.signal);
    const ending = AbortSignal.any([told.signal, failing]);
    if (!ending.aborted) await once(ending, 'abort');
    failing.throwIfAborted();
  } catch (error) {
    if (!told.signal.aborted) report(error);
  }
  if (process.exitCode === undefined) process.stdout.write('\nEnding: api, worker, then PostgreSQL\n');
}

function report(error: unknown): void {
  const isExpected = error instanceof StartError || error instanceof ConfigError;
  process.stderr.write(`${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}

await main();
