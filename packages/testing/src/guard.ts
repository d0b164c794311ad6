import { spawn } from 'node:child_process';

/**
 * Makes sure that a server ends with this process, even when this process is killed: a shell in its own session waits
 * for our end of a pipe to close, then signals the pid in the first line of `pidFile` and removes `folder`, again and
 * again for a moment, as the dying server may still write there.
 *
 * Returns a function that does the same now, and resolves when it is done.
 */
export function guardServer(pidFile: string, signal: 'QUIT' | 'KILL', folder: string): () => Promise<void> {
  const script =
    'cat; kill -s "$2" "$(head -n 1 "$1")"; for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$3" && exit; sleep 0.2; done';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', pidFile, signal, folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const done = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
  // The guard must not keep a finished process alive.
  shell.unref();
  return () => {
    shell.ref();
    shell.stdin?.end();
    return done;
  };
}
