import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EXIT_MISCONFIGURED } from '@accepted/shared/runtime/config/parse-config';
import { WORKSPACE } from './config.ts';

/** A program of ours that is started again whenever it ends without being asked to. */
export interface Supervised {
  readonly name: string;
  /** The pid of the process that runs now; `undefined` between two of them. */
  pid(): number | undefined;
  /** Ends the process in order, with SIGKILL after `killAfterMs`, and starts none after it. */
  stop(killAfterMs: number): Promise<void>;
  /** Ends the process in order, with SIGKILL after `killAfterMs`; a new one follows at once, also if there was none. */
  restart(killAfterMs: number): void;
  /** Whether it has ended for a reason that no further start would change. */
  isFaulty(): boolean;
}

export interface SupervisedProgram {
  name: string;
  file: string;
  env: NodeJS.ProcessEnv;
  /** Gets every line of the program's output, and what happens to it. */
  say(line: string): void;
  /** Hears that the program cannot start until somebody changes something; its last lines are said by then. */
  onFaulty(): void;
}

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
/** A program that ran for this long is healthy: its next end counts as the first. */
const HEALTHY_AFTER_MS = 30_000;

/** Starts a program and keeps it running. */
export function supervise(program: SupervisedProgram): Supervised {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let backoffMs = FIRST_BACKOFF_MS;
  let state: 'running' | 'restarting' | 'stopping' | 'faulty' = 'running';

  function start(): void {
    const startedAt = performance.now();
    state = 'running';
    const started = spawnProgram(program);
    child = started;
    started.once('exit', (code, signal) => {
      child = undefined;
      if (state === 'stopping') return;
      if (state === 'restarting') return start();
      if (code === EXIT_MISCONFIGURED) {
        state = 'faulty';
        // What it had to say may still be on its way.
        started.once('close', () => program.onFaulty());
        return;
      }
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) backoffMs = FIRST_BACKOFF_MS;
      program.say(
        `ended unexpectedly (${signal ?? `exit code ${code}`}); starting it again in ${backoffMs} ms`,
      );
      timer = setTimeout(start, backoffMs);
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
    });
  }

  start();
  return {
    name: program.name,
    pid: () => child?.pid,
    async stop(killAfterMs) {
      state = 'stopping';
      clearTimeout(timer);
      if (child) await endProcess(child, killAfterMs);
    },
    restart(killAfterMs) {
      if (state === 'stopping' || state === 'restarting') return;
      clearTimeout(timer);
      if (!child) return start();
      state = 'restarting';
      void endProcess(child, killAfterMs);
    },
    isFaulty: () => state === 'faulty',
  };
}

function spawnProgram({ file, env, say }: SupervisedProgram): ChildProcess {
  const exitWithParent = join(WORKSPACE, 'scripts/exit-with-parent.mjs');
  const child = spawn(process.execPath, ['--import', exitWithParent, join(WORKSPACE, file)], {
    cwd: WORKSPACE,
    env,
    // Its own process group: the terminal's Ctrl-C must not reach it before its turn.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const input of [child.stdout, child.stderr]) {
    if (input) createInterface({ input }).on('line', say);
  }
  return child;
}

async function endProcess(child: ChildProcess, killAfterMs: number): Promise<void> {
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(killer);
}
