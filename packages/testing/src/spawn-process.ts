import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testConfig } from './test-config.ts';
import { waitUntil } from './wait-until.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Compiled code is kept from one start to the next, which halves the time that one takes. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/node-compile-cache', import.meta.url),
);

export interface SpawnOptions {
  /** The whole environment of the process, but for `PATH` and the cache of compiled code: what this process inherited must not decide a test. */
  env?: Record<string, string>;
  args?: string[];
  nodeFlags?: string[];
  /** The workspace by default. */
  cwd?: string;
}

export interface SpawnedProcess {
  readonly pid: number;
  /** Every line of stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Resolves when the process has ended and its output is read. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Waits for a line that matches, also among those already printed; fails at once when the process ends. */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Sends a signal, SIGKILL by default. */
  kill(signal?: NodeJS.Signals): void;
  /** Kills it with SIGKILL, if it still runs, and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one of our programs in its own Node process; `file` is relative to the workspace. */
export function spawnProcess(file: string, options: SpawnOptions = {}): SpawnedProcess {
  const { env = {}, args = [], nodeFlags = [], cwd = ROOT } = options;
  const program = fileURLToPath(new URL(file, `file://${ROOT}`));
  const child = spawn(process.execPath, [...nodeFlags, program, ...args], {
    cwd,
    env: { PATH: testConfig.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => lines.push(line));
  }
  const killOnExit = () => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', killOnExit);
      resolve({ code, signal });
    });
  });
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    lines,
    exited,
    waitForLine: (pattern, timeoutMs) => waitForLine(file, lines, hasExited, pattern, timeoutMs),
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function waitForLine(
  file: string,
  lines: readonly string[],
  hasExited: () => boolean,
  pattern: RegExp,
  timeoutMs = 15_000,
): Promise<string> {
  const find = () => lines.find((line) => pattern.test(line));
  const until = `${file} prints ${pattern}`;
  await waitUntil(() => find() !== undefined || hasExited(), { until, timeoutMs }).catch((error) => {
    throw new Error(`${error.message}; it has printed:\n${lines.join('\n')}`);
  });
  const line = find();
  if (line === undefined) throw new Error(`${file} ended before it printed ${pattern}:\n${lines.join('\n')}`);
  return line;
}
