// Runs one of the workspace's programs on the workspace's own Node: `node scripts/run.mjs <file.ts> [arguments]`.
// It installs first what is missing. It is plain JavaScript without dependencies, as it runs on whatever Node there is.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedPnpm } from './pnpm/pinned-pnpm.mjs';

const OLDEST_NODE = 18;
const SAME_SIGNAL_MS = 300;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node = join(modules, '.bin', 'node');
const installed = join(modules, '.modules.yaml');

/** Tells whether the lockfile is newer than what was installed from it. */
function isInstallNeeded() {
  if (!existsSync(installed) || !existsSync(node)) return true;
  return statSync(join(root, 'pnpm-lock.yaml')).mtimeMs > statSync(installed).mtimeMs;
}

/** Installs from the frozen lockfile with the pinned pnpm; its progress goes to the terminal. */
function install() {
  process.stderr.write('Installing what is missing ...\n');
  const { status, error } = spawnSync(findPnpm(), ['install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  // pnpm leaves the file alone when it finds nothing to do, and would be asked again on every start.
  if (status === 0) return utimesSync(installed, new Date(), new Date());
  fail(
    `The installation failed${error ? ` (${error.message})` : ''}: see the lines above, then run the command again.`,
  );
}

function findPnpm() {
  try {
    return pinnedPnpm();
  } catch (error) {
    return fail(error.message);
  }
}

/** Becomes the program, as far as Node allows: same terminal, every signal passed on, same exit code. */
function run(file, args) {
  const child = spawn(node, ['--import', join(root, 'scripts', 'exit-with-parent.mjs'), file, ...args], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(modules, '.bin')}:${process.env.PATH}`,
      // Compiled code is kept from one start to the next.
      NODE_COMPILE_CACHE: join(modules, '.cache', 'node-compile-cache'),
    },
    // A group of its own: Ctrl-C reaches the program through us alone, and what that has started not at all.
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) passOn(signal, child);
  child.on('error', (error) => fail(`${node} does not start: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** Passes a signal on once: Ctrl-C comes from the terminal and again from npm, and many programs give up on a second. */
function passOn(signal, child) {
  let lastAt = 0;
  process.on(signal, () => {
    const now = Date.now();
    if (now - lastAt > SAME_SIGNAL_MS) child.kill(signal);
    lastAt = now;
  });
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(
    `Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}: install one from https://nodejs.org`,
  );
}
const [file, ...args] = process.argv.slice(2);
if (!file) fail('Usage: node scripts/run.mjs <file> [arguments]');
if (isInstallNeeded()) install();
run(file, args);
