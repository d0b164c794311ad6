import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { testConfig } from '@accepted/testing/test-config';
import { waitUntil } from '@accepted/testing/wait-until';
import type { ProcessLine } from '../logs.ts';
import type { ControlMessage } from '../preload/kill-point.ts';

export interface Exit {
  pid: number;
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SupervisedOptions {
  name: string;
  /** The program's path. */
  program: string;
  nodeFlags: string[];
  env: Record<string, string>;
  cwd: string;
  /** Gets what the process prints, appended by each incarnation. */
  logFile: string;
  /** Tells whether the incarnation that started with `logFrom` bytes in the log file can be used. */
  isReady: (logFrom: number) => Promise<boolean>;
  onEvent: (line: ProcessLine) => void;
}

/** One of our processes, started again whenever it ends, as systemd or Kubernetes would. */
export interface Supervised {
  readonly name: string;
  /** 0 while there is none. */
  readonly pid: number;
  readonly isReady: boolean;
  /** Resolves when the present or the next incarnation is ready. */
  ready(timeoutMs?: number): Promise<void>;
  /** Ends the incarnation by a signal and answers how it ended; the next one is started. */
  end(signal: NodeJS.Signals, timeoutMs?: number): Promise<Exit>;
  /** Resolves when the incarnation ends, for a reason that the caller has brought about. */
  exit(timeoutMs: number): Promise<Exit>;
  /** Sends a signal that does not end it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Adds to the environment of the incarnations to come. */
  setEnv(more: Record<string, string>): void;
  /** Talks to the module that is preloaded into it, and answers what that says. */
  ask(message: ControlMessage): Promise<unknown>;
  /** Ends it in order, for good; with SIGKILL after `timeoutMs`. */
  stop(timeoutMs: number): Promise<Exit | undefined>;
}

const RESTART_AFTER_MS = 200;
const READY_POLL_MS = 100;
const READY_TIMEOUT_MS = 90_000;
const ANSWER_TIMEOUT_MS = 5_000;

interface Incarnation {
  child: ChildProcess;
  pid: number;
  /** Where its part of the log file begins. */
  logFrom: number;
  isReady: boolean;
  isExitExpected: boolean;
  ended: Promise<Exit>;
}

export function supervise(options: SupervisedOptions): Supervised {
  const { name, onEvent } = options;
  const own = { ...options, env: { ...options.env } };
  let current: Incarnation | undefined;
  let stopping = false;

  async function run(): Promise<void> {
    while (!stopping) {
      const incarnation = await startIncarnation(own);
      current = incarnation;
      if (stopping) incarnation.child.kill('SIGKILL');
      onEvent({ at: Date.now(), name, pid: incarnation.pid, event: 'started' });
      void watchReadiness(incarnation, options);
      const { code, signal, pid } = await incarnation.ended;
      const expected = incarnation.isExitExpected || stopping;
      onEvent({ at: Date.now(), name, pid, event: 'exited', code, signal, expected });
      current = undefined;
      await delay(RESTART_AFTER_MS);
    }
  }

  async function exit(timeoutMs: number): Promise<Exit> {
    if (!current) throw new Error(`${name} is not running`);
    const incarnation = current;
    incarnation.isExitExpected = true;
    const timeout = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
      incarnation.isExitExpected = false;
      throw new Error(`${name} (pid ${incarnation.pid}) did not end within ${timeoutMs} ms`);
    });
    late.catch(() => undefined);
    return await Promise.race([incarnation.ended, late]).finally(() => timeout.abort());
  }

  const running = run();
  return {
    name,
    get pid() {
      return current?.pid ?? 0;
    },
    get isReady() {
      return current?.isReady ?? false;
    },
    async ready(timeoutMs = READY_TIMEOUT_MS) {
      await waitUntil(() => current?.isReady, { until: `${name} is ready`, timeoutMs });
    },
    end(signal, timeoutMs = 15_000) {
      const ended = exit(timeoutMs);
      if (current) kill(own, current, signal);
      return ended;
    },
    exit,
    signal: (signal) => void current?.child.kill(signal),
    setEnv: (more) => void Object.assign(own.env, more),
    async ask(message) {
      if (!current) throw new Error(`${name} is not running`);
      const answer = once(current.child, 'message', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      current.child.send(message, () => undefined);
      return (await answer)[0];
    },
    async stop(timeoutMs) {
      stopping = true;
      if (!current) return void (await running);
      const incarnation = current;
      const { child, ended } = incarnation;
      child.kill('SIGCONT');
      kill(own, incarnation, 'SIGTERM');
      const killer = setTimeout(() => kill(own, incarnation, 'SIGKILL'), timeoutMs);
      const end = await ended;
      clearTimeout(killer);
      await running;
      return end;
    },
  };
}

/** On record before the signal is out: whatever follows, the suite has asked for it. */
function kill(
  { name, onEvent }: SupervisedOptions,
  { child, pid }: Incarnation,
  signal: NodeJS.Signals,
): void {
  onEvent({ at: Date.now(), name, pid, event: 'signaled', signal });
  child.kill(signal);
}

async function watchReadiness(incarnation: Incarnation, options: SupervisedOptions): Promise<void> {
  const { name, isReady, onEvent } = options;
  let hasEnded = false;
  void incarnation.ended.then(() => {
    hasEnded = true;
  });
  while (!hasEnded && !(await isReady(incarnation.logFrom).catch(() => false))) await delay(READY_POLL_MS);
  if (hasEnded) return;
  incarnation.isReady = true;
  onEvent({ at: Date.now(), name, pid: incarnation.pid, event: 'ready' });
}

async function startIncarnation(options: SupervisedOptions): Promise<Incarnation> {
  const log = await open(options.logFile, 'a');
  const logFrom = (await log.stat()).size;
  const child = spawn(process.execPath, [...options.nodeFlags, options.program], {
    cwd: options.cwd,
    env: { PATH: testConfig.PATH, ...options.env },
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  const pid = child.pid ?? 0;
  const ended = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ pid, code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ pid, code, signal }));
  });
  await log.close();
  return { child, pid, isReady: false, isExitExpected: false, ended, logFrom };
}
