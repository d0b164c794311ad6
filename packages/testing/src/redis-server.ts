import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { findRedisProgram } from './find-program.ts';
import { guardServer } from './guard.ts';

/** A Redis of the test's own: one that it may wipe, freeze or kill. It keeps nothing on disk unless asked to. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port. */
  start(): Promise<void>;
  /** Stops it from answering while its connections stay open (SIGSTOP). */
  freeze(): void;
  thaw(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a Redis on a free port of 127.0.0.1; `settings` are more arguments, such as `['--maxmemory', '8mb']`. */
export async function startRedisServer(settings: string[] = []): Promise<RedisServer> {
  const program = findRedisProgram();
  if (!program) throw new Error('This test needs a redis-server or valkey-server on the PATH');
  const folder = await mkdtemp(join(tmpdir(), 'accepted-redis-'));
  const port = await findFreePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--pidfile',
    join(folder, 'pid'),
  ];
  const open = () => spawnUntilReady(program, [...args, '--save', '', '--appendonly', 'no', ...settings]);
  let child = await open();
  const end = guardServer(join(folder, 'pid'), 'KILL', folder);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    // With nothing else to wait for, this process would end before it hears of that end.
    child.ref();
    child.kill('SIGKILL');
    await exit;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    async start() {
      child = await open();
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      await end();
    },
  };
}

async function spawnUntilReady(program: string, args: string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const output: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    output.push(line);
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume();
      child.unref();
      return child;
    }
  }
  throw new Error(`${program} did not start: ${output.join('\n')}`);
}
